/** `top` on a terminal: brings together what is seen, what is chosen, keys and the screen. */
import type { Instance } from 'ink'
import type { Millrace } from 'millrace'
import { isColour } from '../terminal/words.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { Feed, nothingSeen } from './feed.ts'
import { frameOf, type Frame } from './frame.ts'
import { actionOf, singleKeys, type Key } from './keys.ts'
import { drawScreen, redrawScreen, type ScreenProps } from './screen.ts'
import { wantedOf } from './shown.ts'
import type { Scope } from './tabs/rows.ts'
import { enterOtherScreen } from './terminal.ts'
import { after, firstView } from './view.ts'

export interface SessionOptions {
  readonly millrace: Millrace
  readonly take: () => Promise<Snapshot>
  readonly everyMs: number
  /** The group that is open at first; null: all. */
  readonly scope: Scope | null
  /** Aborted by a signal that asks for the end. */
  readonly wish: AbortSignal
}

/** The ages on the screen go on while nothing comes. */
const clockMs = 1000

/** Settles when the person who looks has seen enough, or a signal asks for the end. */
export async function runSession(options: SessionOptions): Promise<void> {
  const session = new Session(options)
  try {
    await session.run()
  } finally {
    session.end()
  }
}

class Session {
  readonly #options: SessionOptions
  readonly #feed: Feed
  #view
  #seen = nothingSeen
  #frame: Frame
  #instance: Instance | undefined
  #clock: NodeJS.Timeout | undefined
  #other: ReturnType<typeof enterOtherScreen> | undefined

  constructor(options: SessionOptions) {
    const { millrace, take, everyMs, scope } = options
    this.#options = options
    this.#view = firstView(scope)
    this.#feed = new Feed({
      ...{ millrace, take, everyMs },
      onSeen: (seen) => {
        this.#seen = seen
        this.#draw()
      },
    })
    this.#frame = this.#next()
  }

  async run(): Promise<void> {
    const { wish } = this.#options
    this.#other = enterOtherScreen()
    this.#instance = drawScreen(this.#props())
    process.stdout.on('resize', this.#draw)
    this.#clock = setInterval(this.#draw, clockMs)
    wish.addEventListener('abort', this.#quit, { once: true })
    if (wish.aborted) this.#quit()
    this.#feed.start()
    await this.#instance.waitUntilExit()
  }

  end(): void {
    this.#feed.end()
    clearInterval(this.#clock)
    process.stdout.off('resize', this.#draw)
    this.#options.wish.removeEventListener('abort', this.#quit)
    this.#instance?.unmount()
    this.#other?.leave()
  }

  readonly #quit = (): void => this.#instance?.unmount()

  readonly #onKey = (key: Key): void => {
    for (const each of singleKeys(key)) this.#press(each)
  }

  #press(key: Key): void {
    const isTyping = this.#view.draft !== null
    const page = Math.max(1, process.stdout.rows - 6)
    const action = actionOf(key, { isTyping, page })
    if (action === 'quit') this.#quit()
    if (action === null || action === 'quit') return
    this.#view = after(this.#view, action, this.#frame.shown)
    this.#feed.pause(this.#view.isPaused)
    this.#draw()
  }

  #next(): Frame {
    const { millrace, everyMs } = this.#options
    const { columns, rows } = process.stdout
    return frameOf(this.#view, this.#seen, {
      ...{ url: millrace.url, everyMs },
      size: { columns, rows },
      nowMs: performance.now(),
    })
  }

  readonly #draw = (): void => {
    this.#feed.want(wantedOf(this.#view, this.#seen.snapshot))
    this.#frame = this.#next()
    if (this.#instance !== undefined) redrawScreen(this.#instance, this.#props())
  }

  #props(): ScreenProps {
    return { lines: this.#frame.lines, isColour: isColour(), onKey: this.#onKey }
  }
}
