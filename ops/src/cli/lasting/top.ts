import { Command, Option } from 'commander'
import { durationWithin } from '../../command/arguments.ts'
import { CommandError } from '../../command/errors.ts'
import { addPlace, connectBy, type PlaceFlags } from '../../place/place.ts'
import type { Service } from '../../service.ts'
import { Snapshots } from '../../snapshot/snapshots.ts'
import type { Snapshot } from '../../snapshot/snapshot.ts'
import { listenForStop } from '../../stop.ts'
import { quoted } from '../../terminal/words.ts'
import { unreadText } from '../../top/sentence.ts'
import { printLine } from '../output.ts'

interface Flags extends PlaceFlags {
  readonly every: number
}

/** `top`: groups, consumers, pending entries and dead letters, live. Nothing is changed by looking. */
export function command(service: Service): Command {
  return addPlace(
    new Command()
      .description(
        'Shows groups, consumers, pending entries and dead letters live, the worst first. Press ? for its keys.',
      )
      .addOption(
        new Option('--every <time>', 'time between two looks, like 500ms or 5s')
          .argParser(durationWithin(100, 3_600_000))
          .default(1000, '1s'),
      )
      .addHelpText('after', '\nWithout a terminal: a row for each group, once in that time.'),
    service,
  ).action((flags: Flags) => show(service, flags))
}

async function show(service: Service, flags: Flags): Promise<void> {
  const { every: everyMs, group } = flags
  const stream = flags.stream ?? service.stream
  const { wish, release } = listenForStop({ signals: ['SIGINT', 'SIGTERM', 'SIGHUP'] })
  const millrace = await connectBy(service, flags)
  try {
    const streams = stream === undefined ? undefined : [stream]
    const snapshots = new Snapshots(millrace, { everyMs, streams, group })
    checkFound(await snapshots.take(), { url: millrace.url, group })
    const scope =
      flags.stream === undefined || group === undefined ? null : { stream: flags.stream, group }
    const options = { millrace, take: () => snapshots.take(), everyMs, scope, wish }
    if (isScreen()) {
      prepareInk()
      const { runSession } = await import('../../top/session.ts')
      await runSession(options)
    } else {
      const { printRows } = await import('../../top/plain-rows.ts')
      const say = (line: string): void => void process.stderr.write(`${line}\n`)
      await printRows({ ...options, print: printLine, say })
    }
  } finally {
    release()
    await millrace.close()
  }
}

/** @throws {CommandError} for what was named and is not there. */
function checkFound(
  { streams, looked }: Snapshot,
  { url, group }: { readonly url: string; readonly group: string | undefined },
): void {
  const [unread] = looked.unread
  if (unread !== undefined) throw new CommandError(`Cannot look at ${url}: ${unreadText(unread)}`)
  if (group === undefined || streams.some(({ groups }) => groups.length > 0)) return
  throw new CommandError(`Cannot look at ${url}: there is no group ${quoted(group)}`)
}

/** Keys come from a terminal, and there is one to draw on. */
const isScreen = (): boolean =>
  process.stdin.isTTY && process.stdout.isTTY && process.env.TERM !== 'dumb'

/** Before it is loaded: where it believes to be in a CI it draws nothing, and React measures itself unless in production. */
function prepareInk(): void {
  const { env } = process
  for (const name of Object.keys(env).filter((each) => ofCi.test(each)))
    Reflect.deleteProperty(env, name)
  env.NODE_ENV = 'production'
}

const ofCi = /^(?:CI|CI_.*|CONTINUOUS_INTEGRATION)$/
