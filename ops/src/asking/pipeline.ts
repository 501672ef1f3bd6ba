/** Asks many plain commands at once. Promise: the server is never given more of them at a time than it answers in about a millisecond. */
import { isPassing, MillraceError, type Millrace } from 'millrace'
import type { Reply } from 'millrace/operate'

export type Sender = Pick<Millrace, 'send'>

/** What came back: the reply, or the error that the server answered. */
export type Answer = Reply | MillraceError

/** Commands by names of one's own; what is undefined is not asked. */
export type Questions = Readonly<Record<string, readonly string[] | undefined>>

/** The answers under the same names; undefined where nothing was asked. */
export type Answers<Asked extends Questions> = {
  readonly [Name in keyof Asked]: Answer | undefined
}

/** A server takes what a client has sent in one go: so many short commands are some 0.3 ms of it. */
const commandsAtOnce = 100

/** The answers, in the order of the rows. @throws {MillraceError} when the server is away, or refuses all work for now. */
export async function askEach<Asked extends Questions>(
  millrace: Sender,
  rows: readonly Asked[],
): Promise<Answers<Asked>[]> {
  const commands = rows.flatMap((row) =>
    Object.values(row).filter((command) => command !== undefined),
  )
  const answers = await askAll(millrace, commands)
  let at = 0
  return rows.map((row) => {
    const named = Object.entries(row).map(([name, command]) => {
      return [name, command === undefined ? undefined : answers[at++]] as const
    })
    return Object.fromEntries(named) as Answers<Asked>
  })
}

/** In their order, none heavier than `most` unless it is a single one. */
export function portionsOf<Item>(
  items: readonly Item[],
  weightOf: (item: Item) => number,
  most: number,
): Item[][] {
  const portions: Item[][] = []
  let weight = Infinity
  for (const item of items) {
    if (weight + weightOf(item) > most) {
      portions.push([])
      weight = 0
    }
    portions.at(-1)?.push(item)
    weight += weightOf(item)
  }
  return portions
}

async function askAll(
  millrace: Sender,
  commands: readonly (readonly string[])[],
): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let from = 0; from < commands.length; from += commandsAtOnce) {
    const some = commands.slice(from, from + commandsAtOnce)
    answers.push(...(await Promise.all(some.map((command) => ask(millrace, command)))))
  }
  return answers
}

async function ask(millrace: Sender, command: readonly string[]): Promise<Answer> {
  try {
    return await millrace.send(...command)
  } catch (error) {
    // That a key is gone or of another type, or that the user may not look at it, says something of it alone.
    if (!(error instanceof MillraceError)) throw error
    const { code } = error
    if (isPassing(error) || code === 'CLOSED') throw error
    return error
  }
}
