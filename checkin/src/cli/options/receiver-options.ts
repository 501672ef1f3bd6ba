/** The options of `npm run checkinreceiver`, and what they mean together. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { Config } from '../../config.ts'
import { addAccess, type AccessFlags } from './access-options.ts'
import {
  addMetricsFlags,
  duration,
  integerWithin,
  portNumber,
  type MetricsFlags,
} from 'millrace-ops/command'
import { otlpOption } from './otlp-option.ts'
import { addConnectionOptions, type ConnectionFlags } from './connection-options.ts'

export interface ReceiverFlags extends AccessFlags, ConnectionFlags, MetricsFlags {
  readonly host: string
  readonly port: number
  readonly workers: number
  readonly accessLog: boolean
  readonly backlogMax: number
  readonly memoryMax: number
  readonly rateLimit: number
  readonly streamsMax: number
  readonly streamsEach?: number
  readonly waitReplicas: number
  readonly idempotencyTtl: number
  readonly idempotencyMax: number
  readonly otlp?: string
}

const workersMax = 64

const besideItsOwn =
  'serve /metrics, /livez and /readyz on this port, too, where nobody is asked for a key; 0 takes any free one'

export function addReceiverOptions(command: Command, config: Config): Command {
  addLimits(addConnectionOptions(addPlace(command, config)))
  return addMetricsFlags(addAccess(command), besideItsOwn)
}

function addPlace(command: Command, config: Config): Command {
  return command
    .addOption(
      new Option('--port <port>', 'port to listen on; 0 takes any free one')
        .argParser(portNumber)
        .default(config.receiverPort),
    )
    .addOption(new Option('--host <host>', 'address to listen on').default(config.receiverHost))
    .addOption(
      new Option('--workers <n>', 'processes that share the port')
        .argParser(integerWithin(1, workersMax))
        .default(1),
    )
    .addOption(
      new Option(
        '--access-log',
        'log each request: who, what, which answer; whatever LOG_LEVEL is',
      ).default(config.receiverAccessLog, config.receiverAccessLog ? 'on' : 'off'),
    )
    .option('--no-access-log', 'log none, whatever the environment says')
    .addOption(otlpOption())
}

function addLimits(command: Command): Command {
  return command
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
    .addOption(
      new Option(
        '--rate-limit <n>',
        'check-ins and other requests a second for each key, user or address; 0: any',
      )
        .argParser(integerWithin(0, 1_000_000))
        .default(0),
    )
    .addOption(
      new Option('--streams-max <n>', 'streams of check-ins at once, in each process')
        .argParser(integerWithin(1, 4096))
        .default(64),
    )
    .addOption(
      new Option('--streams-each <n>', 'of them for one key, user or address')
        .argParser(integerWithin(1, 4096))
        .default(undefined, 'a quarter'),
    )
    .addOption(
      new Option('--wait-replicas <n>', 'replicas that must have a check-in before it is confirmed')
        .argParser(integerWithin(0, 100))
        .default(0),
    )
    .addOption(
      new Option('--idempotency-ttl <time>', 'how long an Idempotency-Key is remembered at least')
        .argParser(rememberedFor)
        .default(24 * 3_600_000, '24h'),
    )
    .addOption(
      new Option(
        '--idempotency-max <keys>',
        'how many keys are remembered; a check-in with a further one gets a 503',
      )
        .argParser(integerWithin(0, 1e15 - 1))
        .default(5_000_000),
    )
}

const rememberedMaxMs = 366 * 24 * 3_600_000

function rememberedFor(text: string): number {
  const ms = duration(text)
  if (ms >= 1 && ms <= rememberedMaxMs) return ms
  throw new InvalidArgumentError('Allowed is a time from 1ms to 366d.')
}
