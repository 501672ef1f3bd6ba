import { connect, type Socket } from 'node:net'

/** A reply of the server; its errors are thrown. */
type Answer = string | number | null | Answer[]

/** The server answered with an error, like `LOADING ...`. */
export class ServerRefusal extends Error {
  override readonly name = 'ServerRefusal'
}

/**
 * A bare connection to a server on the loopback, for looking after the server itself: it needs no ready server,
 * works while the data is loaded, and never reconnects, so its end tells the end of the server.
 */
export class ServerConnection {
  /** Settles when the connection has ended, by whichever side; never rejects. */
  readonly ended: Promise<void>
  readonly #socket: Socket
  readonly #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = []
  #bytes: Buffer = Buffer.alloc(0)

  /** Use {@link ServerConnection.open}. */
  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#receive(chunk))
    this.ended = new Promise((resolve) => {
      socket.on('close', () => {
        const error = new Error('Connection to the embedded server ended')
        for (const { reject } of this.#waiting.splice(0)) reject(error)
        resolve()
      })
    })
  }

  /** Connects; undefined when nobody listens on the port. */
  static open(port: number): Promise<ServerConnection | undefined> {
    return new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => resolve(new ServerConnection(socket)))
      // After the connect an error only precedes `close`.
      socket.on('error', () => resolve(undefined))
    })
  }

  /** @throws {ServerRefusal} with the server's error; {Error} when the connection ends before the answer. */
  send(...args: readonly string[]): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new Error('Connection to the embedded server has ended'))
        return
      }
      this.#waiting.push({ resolve, reject })
      const parts = args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`)
      this.#socket.write(`*${args.length}\r\n${parts.join('')}`)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    for (;;) {
      const read = readAnswer(this.#bytes, 0)
      if (read === undefined) return
      this.#bytes = this.#bytes.subarray(read.end)
      const { answer } = read
      const waiting = this.#waiting.shift()
      if (answer instanceof ServerRefusal) waiting?.reject(answer)
      else waiting?.resolve(answer)
    }
  }
}

/** Reads one RESP 2 value; undefined when bytes are missing. */
function readAnswer(
  bytes: Buffer,
  start: number,
): { answer: Answer | ServerRefusal; end: number } | undefined {
  const lineEnd = bytes.indexOf('\r\n', start)
  if (lineEnd < 0) return undefined
  const line = bytes.toString('utf8', start + 1, lineEnd)
  const end = lineEnd + 2
  switch (String.fromCharCode(bytes[start] ?? 0)) {
    case '-':
      return { answer: new ServerRefusal(line), end }
    case ':':
      return { answer: Number(line), end }
    case '$':
      return readBulk(bytes, end, Number(line))
    case '*':
      return readArray(bytes, end, Number(line))
    default:
      return { answer: line, end }
  }
}

function readBulk(
  bytes: Buffer,
  start: number,
  size: number,
): { answer: Answer; end: number } | undefined {
  if (size < 0) return { answer: null, end: start }
  if (bytes.length < start + size + 2) return undefined
  return { answer: bytes.toString('utf8', start, start + size), end: start + size + 2 }
}

function readArray(
  bytes: Buffer,
  start: number,
  size: number,
): { answer: Answer; end: number } | undefined {
  const answer: Answer[] = []
  let end = start
  while (answer.length < size) {
    const read = readAnswer(bytes, end)
    if (read === undefined) return undefined
    answer.push(read.answer instanceof ServerRefusal ? null : read.answer)
    end = read.end
  }
  return { answer, end }
}
