import { Command, Option } from 'commander'
import { integerWithin, portNumber } from '../../command/arguments.ts'
import { saysStopFailure } from '../../command/stop-failure.ts'
import { connectBy } from '../../place/place.ts'
import type { Service } from '../../service.ts'
import { untilStopped } from '../../stop.ts'

interface Flags {
  readonly redis?: string
  readonly stream?: readonly string[]
  readonly port: number
  readonly host: string
  readonly perConsumer: boolean
  readonly streamsMax: number
  readonly groupsMax: number
}

const defaultPort = 9821
const consumersMost = 10_000

/** `exporter`: metrics of the server's streams and groups, for Prometheus. */
export function command(service: Service): Command {
  const atMost = (flag: string, what: string, most: number): Option =>
    new Option(`${flag} <n>`, `tell of so many ${what} at most`)
      .argParser(integerWithin(1, 100_000))
      .default(most)
  return new Command()
    .description(
      'Serves metrics of streams and groups for Prometheus, whoever works on them, until Ctrl-C; changes nothing.',
    )
    .option('--redis <url>', 'the server (default: what REDIS_URL names)')
    .option('--stream <key...>', 'keys of streams (default: all that have groups)')
    .addOption(
      new Option('--port <port>', 'port of /metrics, /livez and /readyz; 0 takes any free one')
        .argParser(portNumber)
        .default(defaultPort),
    )
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--per-consumer', 'tell of each consumer, too: a series more for each name', false)
    .addOption(atMost('--streams-max', 'streams', 500))
    .addOption(atMost('--groups-max', 'groups', 1000))
    .action((flags: Flags) => run(service, flags))
}

async function run(service: Service, flags: Flags): Promise<void> {
  const [{ Exporter }, { serveMetrics }] = await Promise.all([
    import('../../metrics/exporter.ts'),
    import('../../metrics/serve.ts'),
  ])
  const log = service.openLog()
  const { redis, port, host, streamsMax, groupsMax, perConsumer } = flags
  const exporter = new Exporter({
    connect: () => connectBy(service, redis === undefined ? {} : { redis }, log),
    log,
    streams: flags.stream,
    bounds: { streamsMax, groupsMax, consumersMax: perConsumer ? consumersMost : 0 },
  })
  const named = { port: '--port', host: '--host' }
  const server = await serveMetrics({
    ...{ port, host, named },
    text: () => exporter.text(),
    readiness: () => exporter.readiness(),
  })
  log.info(`Metrics are at ${server.url}.`)
  await untilStopped(exporter, saysStopFailure(log)).finally(() => server.close())
}
