/** Which options there are: a slip has no effect where no types look at it, so an option that nobody knows is refused. */

/** Every option by its name: the compiler holds it complete. */
export type Names<Options> = Readonly<Record<keyof Options, true>>

/**
 * Refuses an option that nobody knows, and names the one that may be meant.
 * @param action what cannot be done then, like `make consumer "ada"`.
 * @throws {TypeError} naming the option.
 */
export function checkKnown(
  action: string,
  options: unknown,
  known: Readonly<Record<string, unknown>>,
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`Cannot ${action}: its options are an object`)
  }
  const problem = unknownOption(options, known)
  if (problem !== undefined) throw new TypeError(`Cannot ${action}: ${problem}`)
}

/** What is wrong with the names of given options, undefined when nothing is. @param path of the object that holds them, like `tls.` */
export function unknownOption(
  options: object,
  known: Readonly<Record<string, unknown>>,
  path = '',
): string | undefined {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name))
  if (unknown === undefined) return undefined
  const names = Object.keys(known)
  const all = names.join(', ')
  const like = nearest(unknown, names)
  const hint =
    like === undefined ? `there are ${all}` : `did you mean "${path}${like}"? There are ${all}`
  return `option "${path}${unknown}" is unknown: ${hint}`
}

/** The name that was probably meant: at most a third of it is wrong, or its end is missing; undefined when none is so near. */
export function nearest(given: string, names: readonly string[]): string | undefined {
  const from = given.toLowerCase()
  let [best, least] = [undefined as string | undefined, given.length / 3]
  for (const name of names) {
    const away = distance(from, name.toLowerCase())
    if (away <= least && (best === undefined || away < least)) [best, least] = [name, away]
  }
  // A unit or a "Max" is soon forgotten.
  return best ?? names.find((name) => from.length > 3 && name.toLowerCase().startsWith(from))
}

/** How many letters have to be put in, left out or changed to make one text the other (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (let at = 0; at < from.length; at += 1) {
    const next = [at + 1]
    for (let by = 0; by < to.length; by += 1) {
      const changed = (row[by] ?? 0) + (from[at] === to[by] ? 0 : 1)
      next.push(Math.min(changed, (row[by + 1] ?? 0) + 1, (next[by] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
