/** What needs somebody's attention, the worst first: each with a word, what it is, and what happens by itself. */
import { shapeOf, type Shape } from '../../../src/console/condition.ts'
import type { GroupName, GroupView, View } from '../../../src/console/wire.ts'
import type { PagePath } from '../../../src/console/pages.ts'
import { count, countOf, span } from './format.ts'
import { howItIs } from './say.ts'

export interface Attention extends GroupName {
  readonly key: string
  readonly shape: Shape
  readonly word: string
  /** A sentence behind the name of the group. */
  readonly what: string
  /** A detail, dimmed. */
  readonly more: string
  /** Where one looks further. */
  readonly page: PagePath
  readonly label: string
}

const order: readonly Shape[] = ['bad', 'warn', 'unknown', 'off', 'ok']
/** So soon would what waits be trimmed away. */
const headroomMs = 10 * 60_000

export function attentionOf(view: View): Attention[] {
  const found = view.groups.flatMap((group) => [
    gone(group),
    standing(group),
    lagUnknown(group),
    deadLetters(group),
    headroom(view, group),
  ])
  return found
    .filter((one) => one !== undefined)
    .sort((a, b) => order.indexOf(a.shape) - order.indexOf(b.shape))
}

type Maybe = Attention | undefined
type Said = Omit<Attention, 'key' | 'stream' | 'group'>

const about = ({ stream, group }: GroupName, check: string, said: Said): Attention => {
  return { ...said, stream, group, key: JSON.stringify([check, stream, group]) }
}

function gone(group: GroupView): Maybe {
  if (group.gone === null) return undefined
  const { worst, consumers, pending } = group.gone
  const silentMs = worst.leaseLeftMs === null ? null : -worst.leaseLeftMs
  const since = silentMs === null ? '' : `, whose lease ran out ${span(silentMs)} ago,`
  const others = consumers > 1 ? ` and ${countOf(consumers - 1, 'other')}` : ''
  const { holder } = worst
  return about(group, 'gone', {
    shape: 'bad',
    word: 'Consumer gone',
    what: `: ${worst.name}${others}${since} holds ${countOf(pending, 'pending entry', 'pending entries')}; ${afterwards(group)}.`,
    more: holder === null ? '' : `${holder.host}, pid ${String(holder.pid)}`,
    page: '/group',
    label: 'Consumers',
  })
}

const afterwards = ({ consumerCounts: { alive } }: GroupView): string =>
  alive > 0 ? 'the living take them over by themselves' : 'nobody lives who could take them over'

function standing(group: GroupView): Maybe {
  const { state } = group
  if (state === 'idle' || state === 'working' || state === 'paused') return undefined
  const [word, what] = standings[state]
  const shape = shapeOf[state]
  const said = `${what}: ${howItIs(group)}.`
  return about(group, 'state', { shape, word, what: said, more: '', page: '/group', label: 'Open' })
}

const standings = {
  nobody: ['Nobody works', ' has nobody who works on it'],
  stuck: ['Stuck', ' does not move'],
  'falling-behind': ['Falling behind', ' gets more than it does'],
  behind: ['Behind', ' has work that waits for long'],
  'catching-up': ['Catching up', ' is behind and catches up'],
} as const

function lagUnknown(group: GroupView): Maybe {
  const { lag, lagDoubt } = group
  if (lag !== null || lagDoubt === null) return undefined
  const why = {
    'entries-deleted': 'Entries were deleted, so Redis cannot tell the lag',
    'position-set': 'The group began amid the stream, so Redis cannot tell the lag',
    forbidden: 'This user of Redis may not count what waits',
  }[lagDoubt.why]
  return about(group, 'lag', {
    shape: 'unknown',
    word: 'Lag unknown',
    what: `: ${why}. Counted up to the limit: at least ${count(lagDoubt.atLeast)}.`,
    more: '',
    page: '/group',
    label: 'Open',
  })
}

function deadLetters(group: GroupView): Maybe {
  const { deadLetters: letters, newestDeadLetter: newest } = group
  if (letters === 0) return undefined
  const age = newest?.ageMs ?? null
  return about(group, 'dead', {
    shape: 'warn',
    word: 'Dead letters',
    what: ` has ${countOf(letters, 'entry that', 'entries that')} could not be processed${newest === null ? '' : `; the newest: ${newest.reason}`}.`,
    more: age === null ? '' : `newest ${span(age)} ago`,
    page: '/group/dead-letters',
    label: `Review ${count(letters)}`,
  })
}

function headroom({ streams }: View, group: GroupView): Maybe {
  const room = streams.find(({ key }) => key === group.stream)?.trimHeadroom
  if (room?.group !== group.group) return undefined
  const ms = room.seconds === null ? null : room.seconds * 1000
  if (ms === null || ms > headroomMs) return undefined
  return about(group, 'headroom', {
    shape: 'bad',
    word: 'Will be lost',
    what: `: others trim the stream and reach what it has not processed in about ${span(ms)}.`,
    more: `${count(room.entries)} entries away`,
    page: '/group',
    label: 'Open',
  })
}
