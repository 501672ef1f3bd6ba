/**
 * One open page: writes server-sent events. Promise: it keeps at most one event that its reader has not taken, the newest; a
 * slow reader misses some, and never fills the memory.
 */
import type { ServerResponse } from 'node:http'
import type { LiveEvent, Watcher } from './live.ts'
import type { GroupName } from '../wire.ts'

const pingEveryMs = 15_000

export interface ViewerOptions {
  readonly focus: GroupName | undefined
  /** The id of the last event that the page has seen, before its connection broke. */
  readonly lastId: string | undefined
  readonly onEnd: () => void
}

export class Viewer implements Watcher {
  readonly focus: GroupName | undefined
  readonly #response: ServerResponse
  readonly #ping: NodeJS.Timeout
  #lastId: string | undefined
  #isFull = false
  #held: LiveEvent | undefined

  /** @param response with its head written. */
  constructor(response: ServerResponse, { focus, lastId, onEnd }: ViewerOptions) {
    this.focus = focus
    this.#lastId = lastId
    this.#response = response
    // EventSource tries again after so long.
    this.#write('retry: 1000\n\n')
    this.#ping = setInterval(() => {
      if (!this.#isFull) this.#write(': ping\n\n')
    }, pingEveryMs)
    response.on('drain', () => this.#goOn())
    response.on('close', () => {
      clearInterval(this.#ping)
      onEnd()
    })
    response.on('error', () => this.end())
  }

  tell(event: LiveEvent): void {
    if (this.#isFull) {
      this.#held = event
      return
    }
    if (event.kind === 'snapshot') {
      // What it has seen before its connection broke.
      if (event.view.id === this.#lastId) return
      this.#lastId = event.view.id
      this.#write(`event: snapshot\nid: ${event.view.id}\ndata: ${JSON.stringify(event.view)}\n\n`)
    } else this.#write(`event: trouble\ndata: ${JSON.stringify(event.trouble)}\n\n`)
  }

  end(): void {
    this.#response.end()
    this.#response.destroy()
  }

  #write(text: string): void {
    this.#isFull = !this.#response.write(text)
  }

  #goOn(): void {
    this.#isFull = false
    const held = this.#held
    this.#held = undefined
    if (held !== undefined) this.tell(held)
  }
}
