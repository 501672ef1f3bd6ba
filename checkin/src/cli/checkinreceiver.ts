import cluster from 'node:cluster'
import { Command } from 'commander'
import { Pressure } from 'millrace'
import { CommandError, saysStopFailure, serveWhereAsked } from 'millrace-ops/command'
import type { Readiness } from 'millrace-ops/metrics'
import { Snapshots } from 'millrace-ops/snapshot'
import type { Log } from '../log.ts'
import type { StreamLimits } from '../receiver/limits/stream-slots.ts'
import { logPressure } from '../receiver/limits/overload.ts'
import { ReceiverMetrics } from '../receiver/metrics/metrics.ts'
import type { AccessOptions } from '../receiver/access/access-options.ts'
import { createReceiver, type Receiver } from '../receiver/receiver.ts'
import { reportMetrics, sumOfMetrics } from '../workers/metrics-of-all.ts'
import { Workers } from '../workers/workers.ts'
import { openTelemetry } from '../telemetry/telemetry.ts'
import type { Wiring } from '../wiring.ts'
import { accessOf } from './options/access-options.ts'
import { graceOf } from './options/connection-options.ts'
import { addReceiverOptions, type ReceiverFlags } from './options/receiver-options.ts'
import { tellParent } from '../start/parent.ts'
import { untilStopped } from 'millrace-ops/stop'

/** Further behind than that, a process takes nothing new. */
const eventLoopDelayMaxMs = 500

export function command(wiring: Wiring): Command {
  const receiver = new Command().description(
    'HTTP receiver: takes check-ins by POST /api/checkin and appends them to the stream',
  )
  return addReceiverOptions(receiver, wiring.config).action(async (flags: ReceiverFlags) => {
    const access = accessOf(flags)
    if (cluster.isPrimary && flags.workers > 1) await runWorkers(wiring, flags)
    else await runReceiver(wiring, flags, access)
  })
}

async function runWorkers(wiring: Wiring, flags: ReceiverFlags): Promise<void> {
  const log = wiring.openLog()
  // Without a server, all workers would say so.
  await (await wiring.connect(log)).close()
  const workers = new Workers({ count: flags.workers, log, graceMs: flags.grace })
  const stop = (signal: NodeJS.Signals): Promise<void> => {
    announce(log, graceOf(flags, signal))
    return workers.stop(signal)
  }
  const close = await serveWhereAsked(flags, log, workers)
  await untilStopped({ run: () => workers.run(), stop }, saysStopFailure(log)).finally(close)
  log.info('Receiver is closed.')
}

async function runReceiver(
  wiring: Wiring,
  flags: ReceiverFlags,
  access: AccessOptions,
): Promise<void> {
  const { model } = wiring
  const telemetry = await openTelemetry({ url: flags.otlp, service: 'checkin-receiver' })
  const log = wiring.openLog({ mixin: telemetry?.traceFields })
  telemetry?.tellTo(log)
  const millrace = await wiring.connect(log, telemetry?.tracing)
  const pressure = new Pressure(millrace, model.checkins, {
    backlogMax: flags.backlogMax,
    memoryShareMax: flags.memoryMax / 100,
    eventLoopDelayMaxMs,
    onChange: logPressure(log),
  })
  const metrics = new ReceiverMetrics()
  if (cluster.isWorker) reportMetrics((which) => metrics.json(which))
  const metricsText = cluster.isWorker ? sumOfMetrics : () => metrics.text()
  try {
    const receiver = createReceiver({
      ...{ millrace, model, log, pressure, access, metrics, metricsText },
      group: millrace.group(model.checkins, wiring.config.group),
      accessLog: flags.accessLog,
      requests: telemetry?.requests,
      timeouts: { keepAliveMs: flags.keepAlive },
      groups: new Snapshots(millrace, { streams: [model.checkins.key] }),
      replicas: flags.waitReplicas,
      streams: streamLimits(flags),
      idempotency: { rememberMs: flags.idempotencyTtl, keysMax: flags.idempotencyMax },
    })
    void pressure.run() // It never rejects, and `stop` waits for it.
    const readiness = (): Promise<Readiness> => receiver.readiness()
    // Of workers the primary tells.
    const told = { text: metricsText, readiness }
    const close = cluster.isWorker ? undefined : await serveWhereAsked(flags, log, told)
    const run = async (): Promise<void> => {
      const url = await listen(receiver, flags)
      tellParent({ kind: 'listening', url })
      log.info(`Receiver listens on ${url}.`)
      await receiver.closed
    }
    const stop = (signal: NodeJS.Signals): Promise<void> => {
      const graceMs = graceOf(flags, signal)
      if (!cluster.isWorker) announce(log, graceMs)
      return receiver.close(graceMs)
    }
    await untilStopped({ run, stop }, saysStopFailure(log)).finally(close)
    if (!cluster.isWorker) log.info('Receiver is closed.')
  } finally {
    await pressure.stop()
    await millrace.close()
    await telemetry?.close()
    // The channel to the primary would keep this process alive; closed, it would end it before it has said why it failed.
    if (cluster.isWorker) process.channel?.unref()
  }
}

function streamLimits({
  streamsMax: max,
  streamsEach: each,
}: ReceiverFlags): Partial<StreamLimits> {
  return { max, ...(each === undefined ? {} : { each }) }
}

function announce(log: Log, graceMs: number): void {
  if (graceMs < 1000) return
  log.info(
    `Closing: serving for ${graceMs / 1000} s more, so that load balancers notice. A second signal ends at once.`,
  )
}

/** @throws {CommandError} when host or port cannot be used. */
async function listen(receiver: Receiver, { host, port }: ReceiverFlags): Promise<string> {
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
