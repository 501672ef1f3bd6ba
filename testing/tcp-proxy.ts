import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { RespFrames } from './resp-frames.ts'

/** A TCP proxy in front of a Redis server, whose faults come when the test says so and never by chance. */
export interface Proxy {
  readonly port: number
  readonly url: string
  /** How many cuts of `cutBeforeReply` have bitten. A test that wants a fault checks it. */
  readonly cuts: number
  /** Connections that are open now. */
  readonly connections: number
  /**
   * The next `times` (default 1) requests that contain the match are executed and their replies lost: when the reply
   * to such a request arrives, both sides are destroyed in its place. Replies to earlier requests do get through.
   * The match is searched in the bytes of the whole request, as Latin-1, so a command's name or a key finds it.
   */
  cutBeforeReply(match: string | RegExp, times?: number): void
  /**
   * Cuts both sides amid the next request that contains the match, or amid the reply to it: after `bytes` of it have
   * passed. Of a shorter one all but the last byte pass. An incomplete request is never executed; of a reply the client
   * sees a part.
   */
  cutAmid(what: 'request' | 'reply', match: string | RegExp, bytes: number): void
  /** While on, nothing passes in either direction and no connection breaks. What was held goes on afterwards. */
  blackHole(isOn: boolean): void
  /** The black hole begins behind the next request that contains the match: it is executed, and its reply held. */
  blackHoleBehind(match: string): void
  /** From now on every reply comes this much later (ms), in order; for a server that is slow. */
  delayReplies(ms: number): void
  /** Destroys every open connection. New ones are welcome. */
  cutAll(): void
  /** New connections go to this port of the loopback; open ones are destroyed. */
  pointTo(port: number): void
  /** New connections go to this port of the loopback; open ones stay where they are, as at a failover behind a name. */
  leadTo(port: number): void
  /** Stops listening and destroys every connection. */
  close(): Promise<void>
}

/** Starts a proxy on a free loopback port to a server on the loopback. */
export async function startProxy(targetPort: number): Promise<Proxy> {
  const proxy = new RespProxy(targetPort)
  await proxy.listen()
  return proxy
}

class RespProxy implements Proxy {
  cuts = 0
  readonly #server = createServer({ noDelay: true }, (client) => this.#accept(client))
  #targetPort: number
  readonly #links = new Set<Link>()
  #match: string | RegExp = ''
  #cut: Cut = { what: 'reply', bytes: 0 }
  #cutsLeft = 0
  #isBlackHole = false
  #holdBehind: string | undefined
  #replyDelayMs = 0

  constructor(targetPort: number) {
    this.#targetPort = targetPort
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  get connections(): number {
    return this.#links.size
  }

  cutBeforeReply(match: string | RegExp, times = 1): void {
    this.#match = match
    this.#cut = { what: 'reply', bytes: 0 }
    this.#cutsLeft = times
  }

  cutAmid(what: 'request' | 'reply', match: string | RegExp, bytes: number): void {
    this.#match = match
    this.#cut = { what, bytes }
    this.#cutsLeft = 1
  }

  blackHole(isOn: boolean): void {
    this.#isBlackHole = isOn
    for (const link of this.#links) link.hold(isOn)
  }

  blackHoleBehind(match: string): void {
    this.#holdBehind = match
  }

  delayReplies(ms: number): void {
    this.#replyDelayMs = ms
  }

  cutAll(): void {
    for (const link of this.#links) link.destroy()
  }

  pointTo(port: number): void {
    this.leadTo(port)
    this.cutAll()
  }

  leadTo(port: number): void {
    this.#targetPort = port
  }

  async close(): Promise<void> {
    this.cutAll()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #accept(client: Socket): void {
    const link = new Link(client, this.#targetPort, {
      cutOf: (request) => {
        this.#holdAt(request)
        return this.#takeCut(request)
      },
      onCut: () => (this.cuts += 1),
      replyDelayMs: () => this.#replyDelayMs,
      onEnd: () => this.#links.delete(link),
    })
    this.#links.add(link)
    link.hold(this.#isBlackHole)
  }

  #holdAt(request: Buffer): void {
    if (this.#holdBehind === undefined || !request.includes(this.#holdBehind)) return
    this.#holdBehind = undefined
    this.blackHole(true)
  }

  /** A request that matches takes one of the cuts that are left. */
  #takeCut(request: Buffer): Cut | undefined {
    if (this.#cutsLeft === 0) return undefined
    const text = request.toString('latin1')
    const isMatch =
      typeof this.#match === 'string' ? text.includes(this.#match) : text.search(this.#match) >= 0
    if (!isMatch) return undefined
    this.#cutsLeft -= 1
    return this.#cut
  }
}

interface Cut {
  readonly what: 'request' | 'reply'
  /** What gets through before. */
  readonly bytes: number
}

interface LinkEvents {
  cutOf(request: Buffer): Cut | undefined
  onCut(): void
  replyDelayMs(): number
  onEnd(): void
}

/** One client's connection and its counterpart to the server. */
class Link {
  readonly #client: Socket
  readonly #server: Socket
  readonly #events: LinkEvents
  readonly #requests = new RespFrames()
  readonly #replies = new RespFrames()
  /** For each request without a reply yet, in order: the cut that its reply meets. */
  readonly #awaited: (Cut | undefined)[] = []
  /** Replies that are held back, in order, and when the last one is due. */
  readonly #late: Buffer[] = []
  #dueAt = 0

  constructor(client: Socket, targetPort: number, events: LinkEvents) {
    this.#client = client
    this.#server = connect({ port: targetPort, host: '127.0.0.1', noDelay: true })
    this.#events = events
    client.on('data', (chunk) => this.#forwardRequests(chunk))
    this.#server.on('data', (chunk) => this.#forwardReplies(chunk))
    for (const socket of [client, this.#server]) {
      // The end of one side is the end of both; why it ended is the test's own doing.
      socket.on('error', () => this.destroy())
      socket.on('close', () => this.destroy())
    }
  }

  hold(isHeld: boolean): void {
    for (const socket of [this.#client, this.#server]) {
      if (isHeld) socket.pause()
      else socket.resume()
    }
  }

  destroy(): void {
    this.#client.destroy()
    this.#server.destroy()
    this.#events.onEnd()
  }

  #forwardRequests(chunk: Buffer): void {
    const requests = this.#requests.push(chunk)
    const cuts = requests.map((request) => this.#events.cutOf(request))
    const doomed = cuts.findIndex((cut) => cut?.what === 'request')
    const request = requests[doomed]
    if (request === undefined) {
      this.#awaited.push(...cuts)
      this.#server.write(chunk)
      return
    }
    // What came in an earlier chunk has passed already; so only what this chunk holds of the request can be held back.
    const after = requests.slice(doomed + 1).reduce((sum, { length }) => sum + length, 0)
    const begin = chunk.length - after - this.#requests.restLength - request.length
    const passing = Math.min(cuts[doomed]?.bytes ?? 0, request.length - 1)
    this.#server.write(chunk.subarray(0, Math.max(0, begin + passing)))
    this.#events.onCut()
    this.#client.destroy()
    this.#server.destroySoon()
  }

  #forwardReplies(chunk: Buffer): void {
    for (const reply of this.#replies.push(chunk)) {
      // A push message of RESP 3 answers no request.
      const cut = reply[0] === 62 ? undefined : this.#awaited.shift()
      if (cut !== undefined) {
        this.#client.write(reply.subarray(0, Math.min(cut.bytes, reply.length - 1)))
        this.#events.onCut()
        this.#server.destroy()
        // Not `destroy`: it would take the earlier replies along that still wait to be written.
        this.#client.destroySoon()
        return
      }
      this.#writeReply(reply)
    }
  }

  #writeReply(reply: Buffer): void {
    const now = performance.now()
    // Nothing overtakes a reply that is late already.
    this.#dueAt = Math.max(this.#dueAt, now + this.#events.replyDelayMs())
    if (this.#late.length === 0 && this.#dueAt <= now) {
      this.#client.write(reply)
      return
    }
    this.#late.push(reply)
    setTimeout(() => {
      const next = this.#late.shift()
      if (next !== undefined) this.#client.write(next)
    }, this.#dueAt - now)
  }
}
