import { Command } from 'commander'
import { startEmbedded } from '../embedded/embedded-server.ts'
import { CommandError } from 'millrace-ops/command'
import { stopRequested } from 'millrace-ops/stop'
import { stopOfForeground } from './foreground.ts'

/** `npm run redis`: the embedded server alone, for working with several terminals. */
export function command(): Command {
  return new Command()
    .description("Runs this checkout's own redis-server in the foreground, until Ctrl-C.")
    .action(serve)
}

async function serve(): Promise<void> {
  const say = (text: string): void => void process.stderr.write(`${text}\n`)
  const stop = stopOfForeground(say)
  const server = await startEmbedded({ info: say, warn: (text) => say(`warn: ${text}`) })
  if (!server.isOurs) {
    await server.stop()
    throw new CommandError(
      `Cannot run the embedded server in this terminal: it runs already, for another one. ` +
        `Commands of this checkout use it; look at it with "redis-cli -p ${server.port}"`,
    )
  }
  process.stdout.write(`Redis:     ${server.url}\nredis-cli: redis-cli -p ${server.port}\n`)
  say('Commands in other terminals find it by themselves. Ctrl-C ends it; the data stays.')
  const words = await Promise.race([stopRequested(stop).then(() => undefined), server.ended])
  if (words !== undefined) {
    throw new CommandError(`The embedded server has ended by itself. ${words}`)
  }
  say('Stopping ...')
  await server.stop()
  say('Stopped.')
}
