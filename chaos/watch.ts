/**
 * Looks again and again, each time at one moment of the server, at what must hold at every moment: users and locations
 * have the same sums, no count and no last check-in goes back, and no group was overtaken by a trim. So it sees what
 * heals before the end.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { isPassing, type Millrace } from 'millrace'
import type { CheckinModel } from '../checkin/src/domain/checkins.ts'
import { compareIds, type History } from './history.ts'
import { hot } from './operation.ts'

const everyMs = 50

// One call, so one moment. Hot users and hot locations have their check-ins with each other only.
const look = `
local sums = { 0, 0 }
local last = {}
for at = 2, #KEYS do
  local found = redis.call('HMGET', KEYS[at], 'numCheckins', 'lastCheckin')
  local side = at - 1 <= tonumber(ARGV[1]) and 1 or 2
  sums[side] = sums[side] + (tonumber(found[1]) or 0)
  if side == 1 then last[#last + 1] = found[2] or '0' end
end
local head = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
local floors = {}
for _, flat in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = {}
  for at = 1, #flat, 2 do group[flat[at]] = flat[at + 1] end
  local oldest = redis.call('XPENDING', KEYS[1], group.name, '-', '+', 1)[1]
  if oldest then floors[#floors + 1] = { group.name, oldest[1] } end
end
return { sums[1], sums[2], last, head and head[1] or '', floors }`

type Look = [number, number, string[], string, [string, string][]]

export class Watch {
  readonly #millrace: Millrace
  readonly #history: History
  readonly #args: readonly string[]
  /** Looks that the server answered. */
  looks = 0
  /** When the sum of the users last grew, as `performance.now()`. */
  appliedAt = 0
  #sum = 0
  #last: readonly number[] = []
  #watching: Promise<void> | undefined
  #isWatching = false
  #isPaused = false

  constructor(millrace: Millrace, model: CheckinModel, history: History) {
    this.#millrace = millrace
    this.#history = history
    const upTo = (many: number): number[] => Array.from({ length: many }, (_, at) => at + 1)
    const users = upTo(hot.users).map((id) => model.userKey(id))
    const locations = upTo(hot.locations).map((id) => model.locationKey(id))
    const keys = [model.checkins.key, ...users, ...locations]
    this.#args = ['EVAL', look, String(keys.length), ...keys, String(hot.users)]
  }

  start(): void {
    this.#isWatching = true
    this.#watching = this.#watch()
  }

  async stop(): Promise<void> {
    this.#isWatching = false
    await this.#watching
  }

  /** Looks away while the server comes back without its last second: it may begin anew from before. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused
    this.#sum = 0
    this.#last = []
  }

  async #watch(): Promise<void> {
    while (this.#isWatching) {
      try {
        const seen = (await this.#millrace.send(...this.#args)) as unknown as Look
        if (!this.#isPaused) this.#check(seen)
      } catch (error) {
        if (!isPassing(error)) throw error
      }
      await delay(everyMs)
    }
  }

  #check([users, locations, last, head, floors]: Look): void {
    const history = this.#history
    this.looks += 1
    if (users !== locations) {
      history.violate('half-applied', `users have ${users} check-ins, their locations ${locations}`)
    }
    if (users < this.#sum) {
      history.violate('moved-back', `users had ${this.#sum} check-ins, now ${users}`)
    }
    if (users > this.#sum) this.appliedAt = performance.now()
    this.#sum = users
    const times = last.map(Number)
    for (const [at, before] of this.#last.entries()) {
      if ((times[at] ?? 0) < before) {
        history.violate(
          'moved-back',
          `lastCheckin of user ${at + 1} was ${before}, now ${times[at]}`,
        )
      }
    }
    this.#last = times
    for (const [group, oldest] of floors) {
      if (head === '' || compareIds(head, oldest) > 0) {
        history.violate(
          'overtaken',
          `${oldest} is pending in "${group}", the stream begins at "${head}"`,
          [oldest],
        )
      }
    }
  }
}
