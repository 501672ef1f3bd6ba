const integer = /^-?(?:0|[1-9]\d*)$/

/** The integer that the text of a Redis field states; the text itself when it is none that JavaScript can hold. */
export function numberOr(text: string | undefined): number | string | null {
  if (text === undefined) return null
  const value = Number(text)
  return integer.test(text) && Number.isSafeInteger(value) ? value : text
}
