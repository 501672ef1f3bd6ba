/** What the page knows of the last minutes of each group. Promise: five minutes of it, however long the page is open. */
import type { GroupName, History, Moment, View } from '../../../src/console/wire.ts'

const keptMs = 5 * 60_000

const keyOf = ({ stream, group }: GroupName): string => JSON.stringify([stream, group])

export class Moments {
  readonly #of = new Map<string, Moment[]>()

  of(name: GroupName): readonly Moment[] {
    return this.#of.get(keyOf(name)) ?? []
  }

  /** Takes in what the console saw before. */
  merge({ groups }: History): void {
    for (const { moments, ...name } of groups) {
      const known = new Map(moments.map((one) => [one[0], one]))
      for (const one of this.of(name)) known.set(one[0], one)
      this.#of.set(
        keyOf(name),
        [...known.values()].sort(([a], [b]) => a - b),
      )
    }
  }

  note({ atMs, groups, streams }: View): void {
    const inOf = new Map(streams.map(({ key, inPerSecond }) => [key, inPerSecond]))
    const seen = new Set<string>()
    for (const group of groups) {
      const key = keyOf(group)
      seen.add(key)
      const moments = this.#of.get(key) ?? []
      const { donePerSecond, lag, timeLagMs, pending, deadLetters } = group
      const comes = inOf.get(group.stream) ?? null
      if (moments.at(-1)?.[0] !== atMs)
        moments.push([atMs, comes, donePerSecond, lag, timeLagMs, pending, deadLetters])
      const old = moments.findIndex(([at]) => at >= atMs - keptMs)
      if (old > 0) moments.splice(0, old)
      this.#of.set(key, moments)
    }
    for (const key of this.#of.keys()) if (!seen.has(key)) this.#of.delete(key)
  }
}
