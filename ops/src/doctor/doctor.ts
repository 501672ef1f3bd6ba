/** Looks at server, stream and group, and says what is wrong and what helps. Reads only. */
import { MillraceError } from 'millrace'
import type { Balance } from 'millrace/operate'
import { foreignNameOf } from '../groups/foreign-name.ts'
import { isLost } from '../place/lost-server.ts'
import type { Place } from '../place/place.ts'
import type { Words } from '../service.ts'
import { printable, quoted } from '../terminal/words.ts'
import type { Finding, Severity } from './finding.ts'
import type { Flow } from './flow.ts'
import { groupChecks } from './group-checks.ts'
import { readGroup } from './group-facts.ts'
import { serverChecks } from './server-checks.ts'
import { readServer, type ServerFacts } from './server-facts.ts'
import { foreignChecks } from './foreign-checks.ts'
import { workChecks } from './work-checks.ts'
import { wrongKeys } from './wrong-keys.ts'

export interface Diagnosis {
  readonly server: { readonly url: string; readonly product: string; readonly version: string }
  readonly stream: string
  readonly group: string
  /** The gravest first. */
  readonly findings: readonly Finding[]
  /** Null without a group or a ledger. */
  readonly balance: Balance | null
  /** Null without a group. */
  readonly flow: Flow | null
}

export interface DiagnosisOptions {
  /** Time between two looks at what waits, in milliseconds; default 1,000. */
  readonly everyMs?: number
}

/** What stands in the way of looking, by the name of the check. */
export const hiddenFindings = {
  'wrong-type': 'a key of ours holds another type',
  'group-hidden': 'the server does not let us look at the group',
} as const

type Hidden = Finding<keyof typeof hiddenFindings>

const order: readonly Severity[] = ['problem', 'warning', 'info']

/**
 * Takes about as long as two looks are apart; up to six times that when something waits and nothing moves.
 * @throws {MillraceError} when the server cannot be asked.
 */
export async function diagnose(
  place: Place,
  { everyMs = 1000 }: DiagnosisOptions = {},
): Promise<Diagnosis> {
  const { millrace, group, groupName, words } = place
  const server = await readServer(millrace)
  const wrong = await wrongTypes(place)
  // With such a key most of the rest cannot be read.
  const { findings, balance, flow } =
    wrong.length > 0
      ? { findings: wrong, balance: null, flow: null }
      : await examineGroup(place, server, everyMs)
  const all = [...serverChecks.map((check) => check(server, place)), ...findings]
  return {
    server: { url: millrace.url, product: server.product, version: server.version },
    stream: group.stream.key,
    group: groupName ?? group.name,
    findings: all
      .filter((finding) => finding !== undefined)
      .map((finding) => inWordsOf(words, finding))
      .sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity)),
    balance,
    flow,
  }
}

/** With what the service adds to it. */
function inWordsOf({ meanings, remedies }: Words, finding: Finding): Finding {
  const { check, why, remedy } = finding
  const join = (text: string, more: string | undefined): string =>
    more === undefined ? text : `${text} ${more}`
  return { ...finding, why: join(why, meanings[check]), remedy: join(remedy, remedies[check]) }
}

interface Examined extends Pick<Diagnosis, 'balance' | 'flow'> {
  readonly findings: readonly (Finding | undefined)[]
}

async function examineGroup(place: Place, server: ServerFacts, everyMs: number): Promise<Examined> {
  try {
    const facts = await readGroup(place, everyMs)
    const { group: name, hasStream, balance, flow = null } = facts
    const checks = [...groupChecks, ...(facts.isForeign ? foreignChecks : workChecks)]
    const { knowledge, millrace } = place
    return {
      findings: [
        ...checks.map((check) => check(facts, server)),
        ...(await knowledge.examine(millrace, { name, hasStream, balance })),
      ],
      balance: balance?.hasLedger === true ? balance : null,
      flow,
    }
  } catch (error) {
    const finding = error instanceof MillraceError ? unreadable(error, place) : undefined
    if (finding === undefined) throw error
    return { findings: [finding], balance: null, flow: null }
  }
}

/** Keys of ours that somebody else has taken, each by its name. */
async function wrongTypes(place: Place): Promise<Hidden[]> {
  const { millrace, knowledge, words } = place
  // Of a group that the engine cannot have it has no keys.
  const group =
    foreignNameOf(place) === undefined ? place.group : { wrongKeys: () => Promise.resolve([]) }
  const wrong = await wrongKeys(millrace, group, knowledge).catch((error: unknown) => {
    // Without the right to TYPE; whatever else it is shows again when the group is read.
    if (error instanceof MillraceError && !isLost(error)) return []
    throw error
  })
  return wrong.map(({ key, holds, expected }) => ({
    check: 'wrong-type',
    severity: 'problem',
    what: `Key ${quoted(key)} holds a ${holds}, not a ${expected}.`,
    why: 'Somebody else uses a key of ours: nothing can be processed that needs it.',
    remedy: `Find out who wrote it, then move it away: RENAME ${printable(key)} to another name. Or ${words.elsewhere}.`,
  }))
}

/** What keeps the doctor from looking at the group. */
function unreadable(
  { code, message }: MillraceError,
  { words }: Pick<Place, 'words'>,
): Hidden | undefined {
  if (code === 'WRONG_TYPE') {
    return {
      check: 'wrong-type',
      severity: 'problem',
      what: message,
      why: 'Nothing can be processed.',
      remedy: `Move that key away (RENAME), or ${words.elsewhere}.`,
    }
  }
  const isForbidden = code === 'AUTHENTICATION' || code === 'REFUSED'
  if (!isForbidden && code !== 'READ_ONLY' && code !== 'SERVER_BUSY') return undefined
  return {
    check: 'group-hidden',
    severity: 'warning',
    what: `Cannot tell: the server does not let us look at the group. ${message}`,
    why: 'The group was not checked.',
    remedy: isForbidden
      ? `Run the doctor with the rights of a ${words.worker[0]} (docs/operations.md, "Rights").`
      : 'Run the doctor again when the server is a primary and takes writes.',
  }
}
