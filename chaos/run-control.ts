/** Runs negative controls: a run with a defect, whose verdict has to be a violation. */
import type { ServerKind } from '../testing/redis-servers.ts'
import type { Control } from './controls.ts'
import { patchedCopy } from './engine-copy.ts'
import { table } from './report.ts'
import { run } from './run.ts'

export interface ControlResult {
  readonly control: Control
  readonly isCaught: boolean
  /** How many violations of each kind were found. */
  readonly found: ReadonlyMap<string, number>
  readonly seconds: number
  /** The first violation of an expected kind. */
  readonly example: string
}

// One round, and what stays is stuck soon: a defect shows at once. The defects are those of consumers that pull.
const kinds = ['processor', 'processor', 'processor', 'handler'] as const
const quick = { kinds, minutes: 0, settleMaxMs: 15_000, keepsEvidence: false } as const

// A fault may strike where the defect changes nothing: of a batch that is refused, a lost reply does no harm.
const runsMax = 4

/** Runs one control until it is caught, at most four times. @throws {Error} when it is stale: its patch matches nothing. */
export async function runControl(
  control: Control,
  options: { readonly server: ServerKind; readonly seed: number },
): Promise<ControlResult> {
  const root = patchedCopy(control.patches)
  for (let at = 0; ; at += 1) {
    const result = await runOnce(control, { ...options, root, seed: options.seed + at })
    if (result.isCaught || at + 1 === runsMax) return result
  }
}

async function runOnce(
  control: Control,
  options: { readonly server: ServerKind; readonly seed: number; readonly root: string },
): Promise<ControlResult> {
  const { faults, expected } = control
  const result = await run({ ...options, ...quick, faults })
  const found = new Map<string, number>()
  const { violations } = result.history
  for (const { kind } of violations) found.set(kind, (found.get(kind) ?? 0) + 1)
  const first = violations.find(({ kind }) => expected.includes(kind))
  const example = first === undefined ? '' : `${first.what} ${first.ids.join(' ')}`
  return { control, isCaught: first !== undefined, found, seconds: result.seconds, example }
}

/** The lines for a terminal. */
export function renderControls(results: readonly ControlResult[]): string {
  const rows = results.map(({ control, isCaught, found, seconds }) => [
    control.name,
    isCaught ? 'caught' : 'MISSED',
    [...found].map(([kind, many]) => `${kind} ${many}`).join(', '),
    `${seconds} s`,
    control.what,
  ])
  return table([['control', 'verdict', 'violations', 'time', 'what is wrong'], ...rows]).join('\n')
}
