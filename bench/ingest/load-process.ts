/** Posts check-ins over raw sockets, so that the load itself costs as little as possible: one order, one report, then it ends. */
import { connect, type Socket } from 'node:net'
import { createHistogram } from 'node:perf_hooks'
import type { LoadOrder, LoadReport } from './messages.ts'

process.once('disconnect', () => process.exit(0))
process.once('message', (order: LoadOrder) => {
  void run(order).then((report) => process.send?.(report))
})

async function run(order: LoadOrder): Promise<LoadReport> {
  const load = new Load(order)
  await Promise.all(Array.from({ length: order.connections }, () => load.connect()))
  return await load.run()
}

class Load {
  readonly #order: LoadOrder
  readonly #requests: readonly Buffer[]
  readonly #idle: Connection[] = []
  readonly #latencies = createHistogram()
  readonly #answers = new Map<string, number>()
  #next = 0
  #sent = 0
  #unsent = 0
  #isOver = false
  #timedFrom = 0
  /** Intended times (ms) of requests that no connection was free for. */
  readonly #late: number[] = []

  constructor(order: LoadOrder) {
    this.#order = order
    this.#requests = requestsFor(order.path)
  }

  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      const connection = new Connection(this.#order.port, (status, intended) =>
        this.#answered(connection, status, intended),
      )
      connection.socket.once('connect', () => {
        this.#idle.push(connection)
        resolve()
      })
      connection.socket.once('error', reject)
    })
  }

  async run(): Promise<LoadReport> {
    const { rate, seconds } = this.#order
    const cpuBefore = process.cpuUsage()
    const start = performance.now()
    const end = start + seconds * 1000
    this.#timedFrom = start + Math.min(settleMs, (end - start) / 5)
    if (rate === undefined) {
      for (const connection of this.#idle.splice(0)) this.#post(connection, performance.now())
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
    } else {
      await this.#atRate(rate, start, end)
    }
    this.#isOver = true
    const took = (performance.now() - start) / 1000
    const { user, system } = process.cpuUsage(cpuBefore)
    return {
      seconds: took,
      answers: Object.fromEntries(this.#answers),
      p50Ms: this.#latencies.percentile(50) / 1000,
      p99Ms: this.#latencies.percentile(99) / 1000,
      sent: this.#sent,
      unsent: this.#unsent,
      waiting: this.#late.length,
      cpuMicros: user + system,
    }
  }

  #atRate(rate: number, start: number, end: number): Promise<void> {
    let begun = 0
    return new Promise((resolve) => {
      const tick = (): void => {
        const now = performance.now()
        const due = Math.floor(((Math.min(now, end) - start) / 1000) * rate)
        for (; begun < due; begun += 1) {
          const intended = start + (begun / rate) * 1000
          const connection = this.#idle.pop()
          if (connection !== undefined) this.#post(connection, intended)
          else if (this.#late.length < lateMax) this.#late.push(intended)
          else {
            this.#unsent += due - begun
            begun = due
          }
        }
        if (now >= end) resolve()
        // All connections are busy: turning in circles would only take the CPU of who is measured.
        else if (this.#late.length > 0) setTimeout(tick, 1)
        else {
          Atomics.wait(never, 0, 0, pauseMs)
          setImmediate(tick)
        }
      }
      tick()
    })
  }

  #post(connection: Connection, intended: number): void {
    this.#sent += 1
    this.#next = (this.#next + 1) % this.#requests.length
    connection.post(this.#requests[this.#next]!, intended)
  }

  #answered(connection: Connection, status: string, intended: number): void {
    if (this.#isOver) return
    const now = performance.now()
    if (intended >= this.#timedFrom) {
      this.#latencies.record(Math.max(1, Math.round((now - intended) * 1000)))
    }
    this.#answers.set(status, (this.#answers.get(status) ?? 0) + 1)
    if (this.#order.rate === undefined) this.#post(connection, now)
    else if (this.#late.length > 0) this.#post(connection, this.#late.shift()!)
    else this.#idle.push(connection)
  }
}

const lateMax = 10_000
// This process is new, and slow until its code is compiled: what is late meanwhile says nothing of the receiver.
const settleMs = 500
// Long enough to leave the CPU to who is measured, short enough to be punctual. A timer would wait for a whole millisecond.
const pauseMs = 0.05
const never = new Int32Array(new SharedArrayBuffer(4))
const emptyLine = '\r\n\r\n'
const lengthHeader = /content-length: (\d+)/i

/** One kept connection with one request under way at most. */
class Connection {
  readonly socket: Socket
  #received = ''
  #intended = 0

  constructor(port: number, answered: (status: string, intended: number) => void) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1')
      const headEnd = this.#received.indexOf(emptyLine)
      if (headEnd < 0) return
      const head = this.#received.slice(0, headEnd)
      const length = Number(lengthHeader.exec(head)?.[1] ?? 0)
      if (this.#received.length < headEnd + emptyLine.length + length) return
      this.#received = ''
      answered(head.slice(9, 12), this.#intended)
    })
  }

  post(request: Buffer, intended: number): void {
    this.#intended = intended
    this.socket.write(request)
  }
}

function requestsFor(path: string): Buffer[] {
  return Array.from({ length: 1000 }, (_, at) => {
    const body = JSON.stringify({ userId: at + 1, locationId: (at % 200) + 1, starRating: at % 6 })
    return Buffer.from(
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${body.length}\r\n\r\n${body}`,
    )
  })
}
