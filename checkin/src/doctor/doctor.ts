/** Looks at server, stream and group, and says what is wrong and what helps. Reads only. */
import { MillraceError, type Balance, type Millrace } from 'millrace'
import type { CheckinModel } from '../domain/checkins.ts'
import { wrongKeys } from '../domain/wrong-keys.ts'
import { printable, quoted } from '../terminal/words.ts'
import type { Finding, Severity } from './finding.ts'
import type { Flow } from './flow.ts'
import { groupChecks } from './group-checks.ts'
import { readGroup, type GroupFacts } from './group-facts.ts'
import { serverChecks } from './server-checks.ts'
import { readServer, type ServerFacts } from './server-facts.ts'
import { workChecks } from './work-checks.ts'

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

const order: readonly Severity[] = ['problem', 'warning', 'info']

/**
 * Takes about as long as two looks are apart; up to six times that when something waits and nothing moves.
 * @throws {MillraceError} when the server cannot be asked.
 */
export async function diagnose(
  millrace: Millrace,
  model: CheckinModel,
  group: string,
  { everyMs = 1000 }: DiagnosisOptions = {},
): Promise<Diagnosis> {
  const server = await readServer(millrace)
  const wrong = await wrongTypes(millrace, model, group)
  const read = (): Promise<GroupFacts> => readGroup(millrace, model, group, everyMs)
  // With such a key most of the rest cannot be read.
  const { findings, balance, flow } =
    wrong.length > 0
      ? { findings: wrong, balance: null, flow: null }
      : await examineGroup(read, server)
  const all = [...serverChecks.map((check) => check(server)), ...findings]
  return {
    server: { url: millrace.url, product: server.product, version: server.version },
    stream: model.checkins.key,
    group,
    findings: all
      .filter((finding) => finding !== undefined)
      .sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity)),
    balance,
    flow,
  }
}

interface Examined extends Pick<Diagnosis, 'balance' | 'flow'> {
  readonly findings: readonly (Finding | undefined)[]
}

async function examineGroup(
  read: () => Promise<GroupFacts>,
  server: ServerFacts,
): Promise<Examined> {
  try {
    const facts = await read()
    const { balance, flow = null } = facts
    const checks = [...groupChecks, ...workChecks]
    return {
      findings: checks.map((check) => check(facts, server)),
      balance: balance?.hasLedger === true ? balance : null,
      flow,
    }
  } catch (error) {
    const finding = error instanceof MillraceError ? unreadable(error) : undefined
    if (finding === undefined) throw error
    return { findings: [finding], balance: null, flow: null }
  }
}

/** Keys of ours that somebody else has taken, each by its name. */
async function wrongTypes(
  millrace: Millrace,
  model: CheckinModel,
  name: string,
): Promise<Finding[]> {
  const group = millrace.group(model.checkins, name)
  const wrong = await wrongKeys(millrace, model, group).catch((error: unknown) => {
    // Without the right to TYPE; whatever else it is shows again when the group is read.
    if (error instanceof MillraceError) return []
    throw error
  })
  return wrong.map(({ key, holds, expected }) => ({
    check: 'wrong-type',
    severity: 'problem',
    what: `Key ${quoted(key)} holds a ${holds}, not a ${expected}.`,
    why: 'Somebody else uses a key of ours: nothing can be processed that needs it.',
    remedy: `Find out who wrote it, then move it away: RENAME ${printable(key)} to another name. Or set KEY_PREFIX to one that nobody else uses.`,
  }))
}

/** What keeps the doctor from looking at the group. */
function unreadable({ code, message }: MillraceError): Finding | undefined {
  if (code === 'WRONG_TYPE') {
    return {
      check: 'wrong-type',
      severity: 'problem',
      what: message,
      why: 'Nothing can be processed.',
      remedy: 'Move that key away (RENAME), or set KEY_PREFIX.',
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
      ? 'Run the doctor with the rights of a processor (docs/operations.md, "Rights").'
      : 'Run the doctor again when the server is a primary and takes writes.',
  }
}
