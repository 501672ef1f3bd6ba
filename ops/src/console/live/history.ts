/** Remembers the last minutes of each group for the charts. Promise: its size does not grow with the time it runs. */
import type { GroupName, History as Told, Moment, View } from '../wire.ts'

const keptMs = 5 * 60_000
const groupsMax = 200
const momentsMax = 600

export class History {
  readonly #moments = new Map<string, { name: GroupName; moments: Moment[] }>()

  /** Notes a view; beyond 200 groups the worst ones are remembered. */
  note({ atMs, groups, streams }: Pick<View, 'atMs' | 'groups' | 'streams'>): void {
    const inOf = new Map(streams.map(({ key, inPerSecond }) => [key, inPerSecond]))
    for (const group of groups.slice(0, groupsMax)) {
      const { stream, donePerSecond, lag, timeLagMs, pending, deadLetters } = group
      const flow = [inOf.get(stream) ?? null, donePerSecond] as const
      this.#at(group).push([atMs, ...flow, lag, timeLagMs, pending, deadLetters])
    }
    this.#forget(atMs - keptMs)
  }

  /** @param group its moments alone; default: of all groups. */
  tell(group?: GroupName): Told {
    const all = [...this.#moments.values()]
    const wanted = group === undefined ? all : all.filter(({ name }) => isSame(name, group))
    return { groups: wanted.map(({ name, moments }) => ({ ...name, moments })) }
  }

  #at({ stream, group }: GroupName): Moment[] {
    const key = JSON.stringify([stream, group])
    const known = this.#moments.get(key)
    if (known !== undefined) return known.moments
    const moments: Moment[] = []
    this.#moments.set(key, { name: { stream, group }, moments })
    return moments
  }

  #forget(beforeMs: number): void {
    for (const [key, { moments }] of this.#moments) {
      const first = moments.findIndex(([atMs]) => atMs >= beforeMs)
      const old = first < 0 ? moments.length : Math.max(first, moments.length - momentsMax)
      moments.splice(0, old)
      if (moments.length === 0) this.#moments.delete(key)
    }
  }
}

const isSame = (a: GroupName, b: GroupName): boolean => a.stream === b.stream && a.group === b.group
