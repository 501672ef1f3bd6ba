/**
 * Writes down every entry of the stream before it is trimmed: a second group, whose position holds the trimmer like any
 * other's. It sees what the server has, not what the engine makes of it.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { isPassing, type Millrace } from 'millrace'
import type { Reply } from 'millrace/operate'
import type { History } from './history.ts'

const group = 'recorder'

export class Recorder {
  readonly #millrace: Millrace
  readonly #stream: string
  readonly #history: History
  #recording: Promise<void> | undefined
  #isRecording = false
  #isPaused = false
  #isAbandoned = false

  constructor(millrace: Millrace, stream: string, history: History) {
    this.#millrace = millrace
    this.#stream = stream
    this.#history = history
  }

  async start(): Promise<void> {
    await this.#millrace.send('XGROUP', 'CREATE', this.#stream, group, '0', 'MKSTREAM')
    this.#isRecording = true
    this.#recording = this.#record()
  }

  /** Stops after everything that is in the stream by now. */
  async stop(): Promise<void> {
    this.#isRecording = false
    await this.#recording
  }

  /** Stops where it is. */
  abandon(): void {
    this.#isAbandoned = true
  }

  /** While it pauses, nothing it has not seen may be trimmed. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused
  }

  /** Resolves when everything that is in the stream now is written down. */
  async caughtUp(): Promise<void> {
    const isFound = (reply: Reply): boolean => rows(reply).length > 0
    for (;;) {
      const groups = (await this.#millrace.send('XINFO', 'GROUPS', this.#stream)) as Reply[][]
      const own = groups.find((flat) => flat[1] === group) ?? []
      const value = (name: string): string => String(own[own.indexOf(name) + 1])
      const after = `(${value('last-delivered-id')}`
      const rest = await this.#millrace.send('XRANGE', this.#stream, after, '+', 'COUNT', '1')
      if (!isFound(rest) && value('pending') === '0') return
      await delay(10)
    }
  }

  async #record(): Promise<void> {
    // Whether the last look for new entries, since it was told to stop, found any.
    let isBehind = true
    while ((this.#isRecording || isBehind) && !this.#isAbandoned) {
      try {
        // What was delivered into a lost reply comes first.
        if (!this.#isPaused) isBehind = (await this.#take('0')) > 0 || (await this.#take('>')) > 0
        if (!isBehind || this.#isPaused) await delay(20)
      } catch (error) {
        if (!isPassing(error)) throw error
        isBehind = true
        await delay(20)
      }
    }
  }

  async #take(from: '0' | '>'): Promise<number> {
    const read = [
      'XREADGROUP',
      'GROUP',
      group,
      group,
      'COUNT',
      '2000',
      'STREAMS',
      this.#stream,
      from,
    ]
    const reply = await this.#millrace.send(...read)
    const entries = reply === null ? [] : rows(rows(reply)[0]?.[1] ?? [])
    for (const [id, flat] of entries) {
      if (flat === null || flat === undefined) {
        this.#history.violate('overtaken', 'trimmed before the recorder had it', [String(id)])
      } else this.#history.record(String(id), flat as string[])
    }
    const ids = entries.map(([id]) => String(id))
    if (ids.length > 0) await this.#millrace.send('XACK', this.#stream, group, ...ids)
    return ids.length
  }
}

const rows = (reply: Reply): Reply[][] => (Array.isArray(reply) ? (reply as Reply[][]) : [])
