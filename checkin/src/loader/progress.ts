import { SingleBar } from 'cli-progress'
import { written } from 'millrace-ops/terminal'

/** Shows how far a load is, if it takes long enough for somebody to ask. */
export interface Progress {
  /** So many more records are in Redis. */
  written(count: number): void
  /** Takes a bar off the terminal. Safe to call more than once. */
  end(): void
}

/** What a progress is shown on. */
export interface Screen {
  readonly isTTY?: boolean
  write(text: string): unknown
}

const quietMs = 1000
const lineEveryMs = 5000

/**
 * Begins a progress: nothing in the first second, then a bar on a terminal, or a plain line each five seconds.
 * @param total records
 * @param now milliseconds of a clock that never goes back
 */
export function openProgress(
  screen: Screen,
  total: number,
  now: () => number = () => performance.now(),
): Progress {
  return screen.isTTY === true ? bar(screen, total, now) : lines(screen, total, now)
}

function bar(screen: Screen, total: number, now: () => number): Progress {
  const startedAt = now()
  const shown = new SingleBar({
    stream: screen as NodeJS.WritableStream,
    format: `Loading [{bar}] {percentage} % of ${written(total)} records`,
    barCompleteChar: '#',
    barIncompleteChar: '.',
    clearOnComplete: true,
  })
  let done = 0
  return {
    written: (count) => {
      done += count
      if (shown.isActive) shown.update(done)
      else if (now() - startedAt >= quietMs) shown.start(total, done)
    },
    end: () => shown.stop(),
  }
}

function lines(screen: Screen, total: number, now: () => number): Progress {
  let done = 0
  let nextAt = now() + quietMs
  return {
    written: (count) => {
      done += count
      if (now() < nextAt) return
      nextAt = now() + lineEveryMs
      const percent = Math.floor((done / total) * 100)
      screen.write(`Loaded ${written(done)} of ${written(total)} records (${percent} %)\n`)
    },
    end: () => undefined,
  }
}
