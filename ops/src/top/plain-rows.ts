/** `top` where there is no terminal: a row for each group, once in an interval, for files and pipes. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { sentence } from '../terminal/words.ts'
import { groupsTab } from './tabs/groups.ts'
import type { Scope } from './tabs/rows.ts'
import { layOut } from './tabs/table.ts'

export interface PlainOptions {
  readonly take: () => Promise<Snapshot>
  readonly everyMs: number
  /** Of this group alone; null: of all. */
  readonly scope: Scope | null
  /** Ends it when it is aborted. */
  readonly wish: AbortSignal
  readonly print: (lines: string) => void
  /** Takes what is no row: why there is none. */
  readonly say: (line: string) => void
}

/** Wide enough for every column: who reads a file cuts for himself. */
const width = 1000

/** Each row begins with the time of the server, and the head stands above the first. */
export async function printRows({
  take,
  everyMs,
  scope,
  wish,
  print,
  say,
}: PlainOptions): Promise<void> {
  let hasHead = false
  while (!wish.aborted) {
    try {
      const snapshot = await take()
      const { head, lines } = rowsOf(snapshot, scope)
      if (lines.length === 0) say('There is no stream with a group')
      else print([...(hasHead ? [] : [head]), ...lines].join('\n'))
      hasHead ||= lines.length > 0
    } catch (error) {
      say(`No rows: ${sentence(error instanceof Error ? error.message : String(error))}`)
    }
    await sleep(everyMs, undefined, { signal: wish }).catch(() => undefined)
  }
}

function rowsOf(snapshot: Snapshot, scope: Scope | null): { head: string; lines: string[] } {
  const { columns, rows } = groupsTab(snapshot)
  const own = rows.filter(({ opens }) => {
    const of = opens?.scope
    return scope === null || (of?.stream === scope.stream && of.group === scope.group)
  })
  const at = new Date(snapshot.atMs).toISOString().replace(/\.\d+Z$/, 'Z')
  const table = layOut(
    [{ head: 'TIME', rank: 0 }, ...columns],
    own.map(({ cells }) => [at, ...cells]),
    width,
  )
  return { head: table.head.trimEnd(), lines: table.rows.map((cells) => cells.join('').trimEnd()) }
}
