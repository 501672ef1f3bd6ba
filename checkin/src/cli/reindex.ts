import { Command } from 'commander'
import { rebuildIndexes, type Indexed } from '../loader/indexes.ts'
import { countOf, written } from 'millrace-ops/terminal'
import type { Wiring } from '../wiring.ts'
import { sayPlace } from 'millrace-ops/command'

interface Flags {
  readonly json: boolean
}

/** `npm run reindex`: builds rankings and geo index from the hashes, for data that is older than they are. */
export function command(wiring: Wiring): Command {
  return new Command()
    .description(
      'Builds the rankings of the leaderboards and the positions of the locations from the hashes in Redis.',
    )
    .option('--json', 'print what was done as JSON', false)
    .action(async ({ json }: Flags) => {
      const millrace = await wiring.connect()
      sayPlace(millrace, wiring.model.checkins.key, wiring.config.group)
      try {
        const indexed = await rebuildIndexes(millrace, wiring.model)
        process.stdout.write(`${json ? JSON.stringify(indexed) : inWords(indexed)}\n`)
      } finally {
        await millrace.close()
      }
    })
}

function inWords({ rankings, positions }: Indexed): string {
  return [
    `Set ${countOf(rankings.ranked, 'place')} in the rankings, removed ${written(rankings.removed)}.`,
    `Set ${countOf(positions.placed, 'position')} of locations, removed ${written(positions.removed)}.`,
  ].join(' ')
}
