import { Command, InvalidArgumentError, Option } from 'commander'
import { Pressure } from 'millrace'
import { CommandError } from '../errors.ts'
import { logPressure } from '../receiver/overload.ts'
import { createReceiver, type Receiver } from '../receiver/receiver.ts'
import type { Wiring } from '../wiring.ts'
import { duration, integerWithin, portNumber } from './arguments.ts'
import { untilStopped } from './stop-signals.ts'

interface Flags {
  readonly host: string
  readonly port: number
  readonly backlogMax: number
  readonly memoryMax: number
  readonly idempotencyTtl: number
  readonly idempotencyMax: number
}

export function command(wiring: Wiring): Command {
  const { config, model } = wiring
  return new Command()
    .description(
      'HTTP receiver: takes check-ins by POST /api/checkin and appends them to the stream',
    )
    .addOption(
      new Option('--port <port>', 'port to listen on; 0 takes any free one')
        .argParser(portNumber)
        .default(config.receiverPort),
    )
    .addOption(new Option('--host <host>', 'address to listen on').default(config.receiverHost))
    .addOption(
      new Option(
        '--backlog-max <entries>',
        'answer 429 while more check-ins wait to be processed; 0: never',
      )
        .argParser(integerWithin(0, 1e15 - 1))
        .default(1_000_000),
    )
    .addOption(
      new Option('--memory-max <percent>', 'answer 503 above this share of maxmemory; 0: never')
        .argParser(integerWithin(0, 100))
        .default(90),
    )
    .addOption(idempotencyTtl())
    .addOption(idempotencyMax())
    .action(async (flags: Flags) => {
      const log = wiring.openLog()
      const millrace = await wiring.connect(log)
      const pressure = new Pressure(millrace, model.checkins, {
        backlogMax: flags.backlogMax,
        memoryShareMax: flags.memoryMax / 100,
        onChange: logPressure(log),
      })
      try {
        const receiver = createReceiver({
          millrace,
          model,
          group: millrace.group(model.checkins, config.group),
          log,
          pressure,
          idempotency: { rememberMs: flags.idempotencyTtl, keysMax: flags.idempotencyMax },
        })
        void pressure.run() // It never rejects, and `stop` waits for it.
        const run = async (): Promise<void> => {
          log.info(`Receiver listens on ${await listen(receiver, flags)}.`)
          await receiver.closed
        }
        await untilStopped({ run, stop: () => receiver.close() }, log)
        log.info('Receiver is closed.')
      } finally {
        await pressure.stop()
        await millrace.close()
      }
    })
}

const ttlMaxMs = 366 * 24 * 3_600_000

function ttl(text: string): number {
  const ms = duration(text)
  if (ms >= 1 && ms <= ttlMaxMs) return ms
  throw new InvalidArgumentError('Allowed is a time from 1ms to 366d.')
}

function idempotencyTtl(): Option {
  return new Option(
    '--idempotency-ttl <time>',
    'how long an Idempotency-Key is remembered at least',
  )
    .argParser(ttl)
    .default(24 * 3_600_000, '24h')
}

function idempotencyMax(): Option {
  const about = 'how many keys are remembered; a check-in with a further one gets a 503'
  return new Option('--idempotency-max <keys>', about)
    .argParser(integerWithin(0, 1e15 - 1))
    .default(5_000_000)
}

/** @throws {CommandError} when host or port cannot be used. */
async function listen(receiver: Receiver, { host, port }: Flags): Promise<string> {
  try {
    return await receiver.listen({ host, port })
  } catch (error) {
    const problem = listenProblems[(error as NodeJS.ErrnoException).code ?? '']
    if (problem === undefined) throw error
    throw new CommandError(`Cannot listen on ${host}, port ${port}: ${problem}`, { cause: error })
  }
}

const wrongHost =
  'this machine has no such address. Choose another one with --host or CHECKIN_RECEIVER_HOST'

const listenProblems: Readonly<Record<string, string>> = {
  EADDRINUSE:
    'the port is in use. Stop the program that uses it, or choose another port with --port or CHECKIN_RECEIVER_PORT',
  EACCES:
    'this user may not use the port. Choose one from 1024 on with --port or CHECKIN_RECEIVER_PORT',
  EADDRNOTAVAIL: wrongHost,
  ENOTFOUND: wrongHost,
  EAI_AGAIN: wrongHost,
  EINVAL: wrongHost,
}
