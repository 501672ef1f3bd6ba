/**
 * Refuses an option that nobody knows: without types a slip would have no effect, and nobody would say so.
 * @param action what cannot be done then, like `make consumer "ada"`.
 * @throws {TypeError} naming the option.
 */
export function checkKnown(
  action: string,
  options: unknown,
  known: Readonly<Record<string, true>>,
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`Cannot ${action}: its options are an object`)
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name))
  if (unknown === undefined) return
  const all = Object.keys(known).join(', ')
  throw new TypeError(`Cannot ${action}: option "${unknown}" is unknown: there are ${all}`)
}
