import { Command, InvalidArgumentError } from 'commander'
import { integerWithin } from '../../command/arguments.ts'
import { UsageError } from '../../command/errors.ts'
import type { ConsoleOptions } from '../../console/console.ts'
import { isLoopbackHost } from '../../console/who-may.ts'
import { connectBy } from '../../place/place.ts'
import type { Service } from '../../service.ts'
import { listenForStop, stopRequested } from '../../stop.ts'

interface Flags {
  readonly redis?: string
  readonly stream?: readonly string[]
  readonly host: string
  readonly port: number
  readonly environment?: string
  readonly mask?: readonly string[]
}

const portByDefault = 8090

/** `console`: a page in the browser that shows all streams and groups as they are. */
export function command(service: Service): Command {
  return new Command()
    .description(
      'Opens a page for the browser of this machine: all streams and groups, live, with what is pending and what could not be ' +
        'processed. It looks and changes nothing.',
    )
    .option('--redis <url>', 'the server (default: what REDIS_URL names)')
    .option('--stream <key...>', 'only these streams (default: all with a group)')
    .option('--host <host>', 'listen here, an address of this machine alone', '127.0.0.1')
    .option(
      '--port <port>',
      'listen here; 0: any free one',
      integerWithin(0, 65_535),
      portByDefault,
    )
    .option('--environment <name>', 'a badge at the top, like production', badge)
    .option('--mask <field...>', 'hide the values of these fields of entries')
    .action((flags: Flags) => serve(service, flags))
}

function badge(name: string): string {
  if (name.length >= 1 && name.length <= 32) return name
  throw new InvalidArgumentError('Allowed are 1 to 32 characters.')
}

async function serve(service: Service, flags: Flags): Promise<void> {
  const { redis, host, port, stream: streams, environment, mask: masked } = flags
  if (!isLoopbackHost(host)) {
    throw new UsageError(
      `Cannot listen at ${JSON.stringify(host)}: others could look without signing in, and the console knows no sign-in yet. ` +
        'Use 127.0.0.1, and from afar a tunnel: ssh -L 8090:127.0.0.1:8090 HOST',
    )
  }
  const stop = listenForStop()
  const log = service.openLog()
  const millrace = await connectBy(service, redis === undefined ? {} : { redis }, log)
  try {
    const [{ fastify }, { consolePage }] = await Promise.all([
      import('fastify'),
      import('../../console/console.ts'),
    ])
    const app = fastify({ forceCloseConnections: true, bodyLimit: 1024 })
    const options: ConsoleOptions = {
      ...{ millrace, service, log },
      ...(streams !== undefined && { streams }),
      ...(environment !== undefined && { environment }),
      ...(masked !== undefined && { masked }),
    }
    await app.register(consolePage, options)
    const url = await listen(app, { host, port })
    process.stdout.write(`The console of ${millrace.url} is at ${url}/ (Ctrl-C ends it)\n`)
    await stopRequested(stop.wish)
    await app.close()
  } finally {
    stop.release()
    await millrace.close()
  }
}

interface Listening {
  listen(at: { host: string; port: number }): Promise<string>
}

/** @throws {UsageError} when the port cannot be had. */
async function listen(app: Listening, at: { host: string; port: number }): Promise<string> {
  try {
    return await app.listen(at)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') throw error
    const why = {
      EADDRINUSE: 'it is in use',
      EACCES: 'it may not',
      EADDRNOTAVAIL: 'this machine has no such address',
    }[code]
    throw new UsageError(
      `Cannot listen at ${at.host}, port ${at.port}: ${why}. Choose another with --port`,
      { cause: error },
    )
  }
}
