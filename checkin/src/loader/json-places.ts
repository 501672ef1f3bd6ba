/**
 * Finds places in JSON text, for messages: where it breaks, and where a record stands. `JSON.parse` reads what is
 * right; its errors name no place on some Node versions, and a value it returns does not know where it stood.
 */

/** Both from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** Where JSON text breaks, and what should stand there instead. */
export interface Flaw {
  readonly place: Place
  readonly expected: string
}

/** Finds the first thing that is no JSON; undefined when all of it is. */
export function findFlaw(text: string): Flaw | undefined {
  return new Scanner(text).scan()
}

/**
 * Finds a record of `{ "<list>": [record, ...] }`.
 * @param index from 0
 */
export function placeOfRecord(text: string, list: string, index: number): Place | undefined {
  const scanner = new Scanner(text, list, index)
  scanner.scan()
  return scanner.found
}

/** Ends the scan. */
class Unexpected extends Error {
  readonly expected: string

  constructor(expected: string) {
    super(expected)
    this.expected = expected
  }
}

const space = /[ \t\n\r]*/y
// All but the quote, the backslash and the control characters.
const plainText = /[ !#-[\]-\uFFFF]*/y
const escape = /\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})/y
const scalar = /true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const nestingMost = 500

class Scanner {
  readonly #text: string
  readonly #list: string | undefined
  readonly #index: number
  #at = 0
  found: Place | undefined

  constructor(text: string, list?: string, index = 0) {
    this.#text = text
    this.#list = list
    this.#index = index
  }

  scan(): Flaw | undefined {
    try {
      this.#value(0, false)
      this.#skip(space)
      if (this.#at < this.#text.length) throw new Unexpected('the end of the file')
      return undefined
    } catch (error) {
      if (!(error instanceof Unexpected)) throw error
      return { place: this.#here(), expected: error.expected }
    }
  }

  /** @param isList whether it is the list that holds the record we look for. */
  #value(depth: number, isList: boolean): void {
    if (depth > nestingMost) throw new Unexpected(`at most ${nestingMost} nested brackets`)
    this.#skip(space)
    const first = this.#text[this.#at]
    if (first === '{') this.#object(depth)
    else if (first === '[') this.#array(depth, isList)
    else if (first === '"') this.#string()
    else if (!this.#skip(scalar)) throw new Unexpected('a value: {, [, a text in ", or a number')
  }

  #object(depth: number): void {
    this.#at += 1
    if (this.#take('}')) return
    do {
      this.#skip(space)
      if (this.#text[this.#at] !== '"') throw new Unexpected('the name of a field, in "')
      const from = this.#at
      this.#string()
      const isList = depth === 0 && this.#text.slice(from, this.#at) === JSON.stringify(this.#list)
      if (!this.#take(':')) throw new Unexpected('":" after the name of the field')
      this.#value(depth + 1, isList)
    } while (this.#take(','))
    if (!this.#take('}')) throw new Unexpected('"," or "}" after the field')
  }

  #array(depth: number, isList: boolean): void {
    this.#at += 1
    if (this.#take(']')) return
    let index = 0
    do {
      this.#skip(space)
      if (isList && index === this.#index) this.found = this.#here()
      this.#value(depth + 1, false)
      index += 1
    } while (this.#take(','))
    if (!this.#take(']')) throw new Unexpected('"," or "]" after the value')
  }

  #string(): void {
    this.#at += 1
    do this.#skip(plainText)
    while (this.#skip(escape))
    if (this.#text[this.#at] !== '"') {
      throw new Unexpected(
        'the " that ends the text; a line end or a tab in it is written \\n or \\t',
      )
    }
    this.#at += 1
  }

  #take(sign: string): boolean {
    this.#skip(space)
    if (this.#text[this.#at] !== sign) return false
    this.#at += 1
    return true
  }

  /** Goes past what the pattern matches here; false when that is nothing. */
  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at
    const length = pattern.exec(this.#text)?.[0].length ?? 0
    this.#at += length
    return length > 0
  }

  #here(): Place {
    const before = this.#text.slice(0, this.#at)
    const lineStart = before.lastIndexOf('\n') + 1
    return { line: before.split('\n').length, column: this.#at - lineStart + 1 }
  }
}
