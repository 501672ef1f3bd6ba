/** Reads dead letters for the page: by reason, a page of them, and all as a file. Changes nothing. */
import { Readable } from 'node:stream'
import type { DeadLetter, DeadLetters } from 'millrace/operate'
import { listedMax, type Fields } from './fields.ts'
import type { LetterPage, ReasonGroup, Reasons } from '../wire.ts'

/** A page looks at no more letters than this. */
const scannedMax = 10_000
const atOnce = 500
const likeMax = 300

export interface LettersAsked {
  readonly reason?: string | undefined
  /** Only those whose error is like this: see {@link likeOf}. */
  readonly like?: string | undefined
  readonly from?: string | undefined
  readonly count: number
}

/** An error without its numbers: letters of one cause often differ in them alone. */
const likeOf = (error: string): string =>
  error.slice(0, likeMax).replaceAll(/\d+(?:[.,]\d+)*/g, '#')

/** A page, the newest first. It ends after 10,000 letters, whether they fit or not. */
export async function letterPage(
  letters: Pick<DeadLetters, 'list'>,
  { reason, like, from, count }: LettersAsked,
  fields: Fields,
): Promise<LetterPage> {
  const found: DeadLetter[] = []
  const page = (next: string | null): LetterPage => {
    return { letters: found.map((letter) => fields.letter(letter, listedMax)), next, scanned }
  }
  let scanned = 0
  let last: string | null = null
  for await (const letter of newestFirst(letters, { reason, from })) {
    if (found.length === count || scanned === scannedMax) return page(last)
    scanned += 1
    last = letter.letterId
    if (like === undefined || likeOf(letter.error) === like) found.push(letter)
  }
  return page(null)
}

/** Counts the newest 10,000 letters by reason and error. */
export async function reasonsOf(letters: Pick<DeadLetters, 'list'>): Promise<Reasons> {
  const groups = new Map<string, { -readonly [Name in keyof ReasonGroup]: ReasonGroup[Name] }>()
  let scanned = 0
  let isComplete = true
  for await (const { reason, error, time } of newestFirst(letters, {})) {
    if (scanned === scannedMax) {
      isComplete = false
      break
    }
    scanned += 1
    const like = likeOf(error)
    const key = JSON.stringify([reason, like])
    const known = groups.get(key)
    if (known === undefined) {
      const short = error.slice(0, likeMax)
      groups.set(key, { reason, like, error: short, letters: 1, firstMs: time, lastMs: time })
    } else {
      known.letters += 1
      known.firstMs = Math.min(known.firstMs, time)
      known.lastMs = Math.max(known.lastMs, time)
    }
  }
  const reasons = [...groups.values()].sort((a, b) => b.letters - a.letters)
  return { reasons, scanned, isComplete }
}

/** All letters as lines of JSON, the oldest first. */
export function exported(letters: Pick<DeadLetters, 'list'>, fields: Fields): Readable {
  return Readable.from(
    (async function* lines() {
      let from: string | undefined
      do {
        const page = await letters.list({ order: 'oldest', count: atOnce, ...(from && { from }) })
        for (const letter of page.letters) yield `${JSON.stringify(fields.exported(letter))}\n`
        from = page.next ?? undefined
      } while (from !== undefined)
    })(),
  )
}

async function* newestFirst(
  letters: Pick<DeadLetters, 'list'>,
  { reason, from }: Pick<LettersAsked, 'reason' | 'from'>,
): AsyncGenerator<DeadLetter> {
  let after = from
  do {
    const options = { ...(reason !== undefined && { reason }), ...(after && { from: after }) }
    const page = await letters.list({ count: atOnce, ...options })
    yield* page.letters
    after = page.next ?? undefined
  } while (after !== undefined)
}
