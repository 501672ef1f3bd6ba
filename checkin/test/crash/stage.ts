/** The stage of the crash tests: a server, processors as real processes, a history of what was appended, a verdict. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, isPassing, type Millrace } from 'millrace'
import { Reference } from 'millrace/testing'
import { checkinModel, type Checkin, type CheckinModel } from '../../src/domain/checkins.ts'
import { runMain, type MainProcess } from '../../../testing/processes.ts'
import { SeededRandom, seedOfRun as seed } from '../../../testing/seeded-random.ts'
import { waitFor } from '../../../testing/wait-for.ts'

const groupName = 'checkinConsumers'

export class Stage {
  readonly millrace: Millrace
  readonly model: CheckinModel = checkinModel('ncc')
  readonly random = (): number => this.#random.next()
  /** Ids of the entries whose append was confirmed. */
  readonly confirmed = new Set<string>()
  readonly #random = new SeededRandom(seed)
  readonly #url: string
  readonly #processes = new Set<MainProcess>()
  #appending: Promise<void> | undefined
  #isAppending = false

  private constructor(millrace: Millrace, url: string) {
    this.millrace = millrace
    this.#url = url
  }

  /** Connects to a server and creates the group. */
  static async open(url: string): Promise<Stage> {
    const stage = new Stage(await connect({ url }), url)
    await stage.millrace.group(stage.model.checkins, groupName).create()
    return stage
  }

  get group() {
    return this.millrace.group(this.model.checkins, groupName)
  }

  /** Starts a group processor as people start it; resolves when it works. */
  async startProcessor(name: string, ...flags: string[]): Promise<MainProcess> {
    const env = { REDIS_URL: this.#url, LOG_FORMAT: 'pretty' }
    const started = runMain(['group-processor', name, ...flags], { env })
    this.#processes.add(started)
    await started.waitForLine(/Starting up/)
    return started
  }

  /** Appends random check-ins, some of them undecodable, until `stopAppending`; goes on through outages. */
  startAppending(batch: number, pauseMs: number): void {
    this.#isAppending = true
    this.#appending = (async () => {
      while (this.#isAppending) {
        await this.append(batch).catch((error: unknown) => {
          // Unknown outcome: the verdict counts what the stream holds.
          if (!isPassing(error)) throw error
        })
        await delay(pauseMs)
      }
    })()
  }

  async stopAppending(): Promise<void> {
    this.#isAppending = false
    await this.#appending
  }

  /** Appends so many random check-ins at once. */
  async append(many: number): Promise<void> {
    const { key } = this.model.checkins
    await Promise.all(
      Array.from({ length: many }, async () => {
        const { userId, locationId, starRating } = this.#randomCheckin()
        // One in fifty cannot be decoded.
        const stars = this.random() < 0.02 ? 'many' : String(starRating)
        const fields = ['locationId', String(locationId), 'userId', String(userId)]
        const add = ['XADD', key, '*', ...fields, 'starRating', stars]
        this.confirmed.add(String(await this.millrace.send(...add)))
      }),
    )
  }

  #randomCheckin(): Checkin {
    const upTo = (most: number): number => 1 + Math.floor(this.random() * most)
    return { userId: upTo(40), locationId: upTo(15), starRating: upTo(6) - 1 }
  }

  /** Waits until a process holds the lease of a consumer. */
  async untilHeldBy(pid: number): Promise<void> {
    const isHeld = async (): Promise<boolean> =>
      (await this.group.roster()).some(
        ({ state, holder }) => state === 'alive' && holder?.pid === pid,
      )
    await waitFor(isHeld, { what: `process ${pid} to hold a lease` })
  }

  /** Waits until nothing is undelivered or pending, the server being healed. */
  async untilDrained(): Promise<void> {
    await waitFor(() => this.group.isDrained().catch(() => false), {
      what: 'the group to be drained',
      timeoutMs: 45_000,
    })
  }

  /** Ids that were confirmed, and that the stream lacks. */
  async missing(): Promise<string[]> {
    const entries = await this.millrace.send('XRANGE', this.model.checkins.key, '-', '+')
    const held = new Set((entries as [string, string[]][]).map(([id]) => id))
    return [...this.confirmed].filter((id) => !held.has(id))
  }

  /**
   * The verdict: every entry of the stream is a dead letter or counted once on both sides, and every field of every
   * hash and every place of every ranking is what the reference interpreter computes from the stream.
   * @param upTo only entries up to this id, nobody having processed others; default: all
   * @returns the number of these entries.
   */
  async verdict(upTo = '+'): Promise<number> {
    const { model, millrace } = this
    const description = await this.group.describe()
    assert.equal(description.pending, 0, `seed ${seed}: nothing is pending`)
    const entries = (await millrace.send('XRANGE', model.checkins.key, '-', upTo)) as [
      string,
      string[],
    ][]
    const letters = (await millrace.send('XRANGE', description.deadLetterStream, '-', '+')) as [
      string,
      string[],
    ][]
    const reference = new Reference(model.checkins, [model.users, model.locations])
    const undecodable: string[] = []
    for (const [id, flat] of entries) {
      const values = new Map<string, string>()
      for (let at = 0; at < flat.length; at += 2) values.set(flat[at] ?? '', flat[at + 1] ?? '')
      if (values.get('starRating') === 'many') {
        undecodable.push(id)
        continue
      }
      const numberOf = (field: string): number => Number(values.get(field))
      const checkin = {
        userId: numberOf('userId'),
        locationId: numberOf('locationId'),
        starRating: numberOf('starRating'),
      }
      reference.apply({ id, values: checkin, unknown: undefined })
    }
    const message = `seed ${seed}`
    assert.deepEqual(letters.map(([, flat]) => flat[1]).sort(), undecodable.sort(), message)
    const applied = entries.length - undecodable.length
    assert.deepEqual(await this.#totals(), { users: applied, locations: applied }, message)
    for (const [key, hash] of reference.hashes) {
      assert.deepEqual(
        await this.#pairs('HGETALL', key),
        Object.fromEntries(hash),
        `${message}, ${key}`,
      )
    }
    for (const [key, scores] of reference.rankings) {
      const held = Object.entries(await this.#pairs('ZRANGE', key, '0', '-1', 'WITHSCORES'))
      const ranked = new Map(held.map(([member, score]) => [member, Number(score)]))
      assert.deepEqual(ranked, scores, `${message}, ${key}`)
    }
    return entries.length
  }

  async #totals(): Promise<{ users: number; locations: number }> {
    const total = async (pattern: string): Promise<number> => {
      const keys = (await this.millrace.send('KEYS', pattern)) as string[]
      const counts = await Promise.all(
        keys.map((key) => this.millrace.send('HGET', key, 'numCheckins')),
      )
      return counts.reduce<number>((sum, count) => sum + Number(count), 0)
    }
    return { users: await total('ncc:users:*'), locations: await total('ncc:locations:*') }
  }

  async #pairs(...command: string[]): Promise<Record<string, string>> {
    const flat = (await this.millrace.send(...command)) as string[]
    return Object.fromEntries(
      Array.from({ length: flat.length / 2 }, (_, at) => [
        flat[2 * at] ?? '',
        flat[2 * at + 1] ?? '',
      ]),
    )
  }

  /** All output of all processors so far. */
  get output(): string {
    return [...this.#processes].map(({ stdout, stderr }) => stdout + stderr).join('\n')
  }

  /** A sum over all processors of a number in their lines. */
  sumOf(pattern: RegExp): number {
    return [...this.output.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0)
  }

  /** Stops the processors in order and checks that each ends well. */
  async stopProcessors(processes: Iterable<MainProcess>): Promise<void> {
    for (const running of processes) running.kill('SIGTERM')
    for (const running of processes) {
      const { code, signal, stderr } = await running.exited
      assert.equal(code, 0, `seed ${seed}: ended by ${String(signal)}: ${stderr}`)
    }
  }

  async close(): Promise<void> {
    await this.stopAppending()
    for (const running of this.#processes) running.kill('SIGKILL')
    for (const running of this.#processes) await running.exited
    await this.millrace.close()
  }
}
