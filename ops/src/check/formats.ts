/** A verdict as monitoring systems read it. */
import { escaped } from '../terminal/words.ts'
import { exitCodes, type Judged, type JudgedGroup, type Status, type Verdict } from './judge.ts'

export const formats = ['text', 'nagios', 'json', 'prometheus'] as const
export type Format = (typeof formats)[number]

export function formatted(verdict: Verdict, format: Format): string {
  switch (format) {
    case 'text':
      return `${verdict.status.toUpperCase()} ${lineOf(verdict)}`
    case 'nagios':
      return nagios(verdict)
    case 'json':
      return JSON.stringify({ ...verdict, exitCode: exitCodes[verdict.status] })
    case 'prometheus':
      return prometheus(verdict)
  }
}

const placeOf = ({ stream, group }: JudgedGroup): string => `${escaped(stream)} ${escaped(group)}`

/** One line: the worst group with what is wrong with it, and how many more there are like it. */
function lineOf({ status, failure, groups }: Verdict): string {
  const [worst] = groups
  if (worst === undefined) return oneLine(failure ?? 'no group')
  const wrong = worst.measures.filter((one) => one.status !== 'ok').map(({ text }) => text)
  const told = [...(wrong.length > 0 ? [wrong.join(', ')] : []), worst.sentence].join('; ')
  const others = groups.filter((one) => one.status !== 'ok').length - 1
  const more = others > 0 ? `; and ${others} more` : ''
  const all = status === 'ok' && groups.length > 1 ? `, the worst of ${groups.length}` : ''
  return oneLine(`${placeOf(worst)}${all}: ${told}${more}`)
}

const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ')

/** Nagios' plugin format: a line, and behind "|" the numbers with their thresholds. */
function nagios(verdict: Verdict): string {
  const numbers = verdict.groups.flatMap((group) =>
    group.measures.map((one) => performanceOf(group, one)),
  )
  const rest = numbers.length === 0 ? '' : ` | ${numbers.join(' ')}`
  const line = lineOf(verdict).replaceAll('|', '/')
  return `MILLRACE ${verdict.status.toUpperCase()} - ${line}${rest}`
}

function performanceOf(group: JudgedGroup, judged: Judged): string {
  const label = `${placeOf(group)} ${judged.measure}`.replaceAll(/['=|]/g, '_')
  const number = (value: number | null | undefined): string => {
    if (value === null || value === undefined || !Number.isFinite(value)) return ''
    return String(judged.unit === 'ms' ? value / 1000 : Math.round(value * 100) / 100)
  }
  const unit = { ms: 's', percent: '%', entries: '', consumers: '' }[judged.unit]
  const value = number(judged.value)
  return `'${label}'=${value === '' ? 'U' : `${value}${unit}`};${number(judged.warn)};${number(judged.critical)};0`
}

const statuses: readonly Status[] = ['ok', 'warning', 'critical', 'unknown']

/** For the textfile collector of the node exporter. Numbers of the groups themselves come from `millrace exporter`. */
function prometheus({ status, groups }: Verdict): string {
  const codes = statuses.map((name) => `${exitCodes[name]} ${name}`).join(', ')
  const lines = [
    `# HELP millrace_check_status Verdict of the check: ${codes}`,
    '# TYPE millrace_check_status gauge',
    `millrace_check_status ${exitCodes[status]}`,
    '# HELP millrace_check_group_status Verdict on a group, likewise',
    '# TYPE millrace_check_group_status gauge',
    ...groups.map(({ stream, group, status: own }) => {
      return `millrace_check_group_status{stream="${label(stream)}",group="${label(group)}"} ${exitCodes[own]}`
    }),
    '# HELP millrace_check_value What was checked, in entries, seconds, percent or consumers',
    '# TYPE millrace_check_value gauge',
    ...groups.flatMap(({ stream, group, measures }) =>
      measures.map(({ measure, value, unit }) => {
        const labels = `stream="${label(stream)}",group="${label(group)}",measure="${measure}"`
        return `millrace_check_value{${labels}} ${sample(unit === 'ms' && value !== null ? value / 1000 : value)}`
      }),
    ),
  ]
  return lines.join('\n')
}

function sample(value: number | null): string {
  if (value === null) return 'NaN'
  return Number.isFinite(value) ? String(value) : '+Inf'
}

const label = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
