/** Shows a diagnosis to people. */
import type { Balance } from 'millrace/operate'
import { countOf, duration, escapedControls, printable, written } from '../terminal/words.ts'
import type { Diagnosis } from './doctor.ts'
import type { Finding, Severity } from './finding.ts'
import type { Flow } from './flow.ts'
import { rate } from './work-checks.ts'

const colours: Readonly<Record<Severity, number>> = { problem: 31, warning: 33, info: 36 }
const margin = ' '.repeat(9)

/** The diagnosis as lines of text. */
export function asText(diagnosis: Diagnosis, { isColour }: { isColour: boolean }): string {
  const { server, stream, group, findings, balance, flow } = diagnosis
  const version = server.version === '' ? '' : ` ${server.version}`
  return [
    `${server.product}${version} at ${server.url}, stream ${printable(stream)}, group ${printable(group)}`,
    ...(balance === null ? [] : [balanceText(balance)]),
    ...(flow === null ? [] : [flowText(flow)]),
    '',
    ...findings.flatMap((finding) => [...findingLines(finding, isColour), '']),
    summary(findings),
  ].join('\n')
}

function balanceText(balance: Balance): string {
  const { appended, skipped, applied, deadLettered, redriven, purged, pending, undelivered } =
    balance
  // They are accounted for, and wait for nobody.
  const gone = purged === 0 ? '' : ` (${written(purged)} of them purged)`
  const sum = [
    `${shown(skipped)} skipped`,
    `${written(applied)} applied`,
    `${countOf(deadLettered - redriven, 'dead letter')}${gone}`,
    `${written(pending)} pending`,
    `${shown(undelivered)} undelivered`,
  ]
  const sign = balance.unaccounted === null ? '?' : balance.unaccounted === 0 ? '=' : 'is not'
  return `Balance: ${written(appended)} appended ${sign} ${sum.join(' + ')}`
}

function flowText(flow: Flow): string {
  const ages = [
    ageText('undelivered', flow.oldestUndeliveredMs),
    ageText('pending', flow.oldestPendingMs),
  ]
  return `Flow: ${rate(flow.inPerSecond)} in, ${rate(flow.donePerSecond)} done${ages.join('')}`
}

const ageText = (what: string, ms: number | null): string =>
  ms === null ? '' : `; the oldest ${what} ${duration(ms)} old`

const shown = (count: number | null): string => (count === null ? 'unknown' : written(count))

function findingLines({ severity, what, why, remedy }: Finding, isColour: boolean): string[] {
  const label = severity.padEnd(margin.length)
  const head = isColour ? `\u001b[${colours[severity]}m${label}\u001b[39m` : label
  return [
    `${head}${escapedControls(what)}`,
    `${margin}Why: ${escapedControls(why)}`,
    `${margin}Do: ${escapedControls(remedy)}`,
  ]
}

function summary(findings: readonly Finding[]): string {
  const count = (severity: Severity): number =>
    findings.filter((finding) => finding.severity === severity).length
  const [problems, warnings] = [count('problem'), count('warning')]
  if (problems + warnings === 0) return 'Nothing is wrong.'
  return [
    ...(problems > 0 ? [countOf(problems, 'problem')] : []),
    ...(warnings > 0 ? [countOf(warnings, 'warning')] : []),
  ].join(', ')
}

/** 0: nothing is wrong; 1: warnings; 2: problems. */
export function exitCodeOf(findings: readonly Finding[]): number {
  if (findings.some(({ severity }) => severity === 'problem')) return 2
  return findings.some(({ severity }) => severity === 'warning') ? 1 : 0
}
