/** Reads the parameters of a query one by one, and notes everything that is wrong with them. Nothing is coerced. */
import { invalidProblem, type FieldProblem, type Problem } from '../http/problem.ts'

interface Range {
  readonly min: number
  readonly max: number
}

export class Query {
  readonly #values: Readonly<Record<string, unknown>>
  readonly #errors: FieldProblem[] = []

  /** @param values as Fastify has parsed them: a text, or a list of texts where a name stands twice. */
  constructor(values: unknown) {
    this.#values = values as Readonly<Record<string, unknown>>
  }

  /** What is wrong with the parameters that were asked for; undefined when nothing is. A query is no content: 400, not 422. */
  get problem(): Problem | undefined {
    if (this.#errors.length === 0) return undefined
    return { ...invalidProblem('The query is not valid', this.#errors), status: 400 }
  }

  /** A decimal number without exponent; `NaN` when it is missing or wrong. */
  decimal(name: string, { min, max }: Range): number {
    const expected = `must be a number from ${min} to ${max}, written like 38.72`
    return this.#number(name, /^-?\d{1,6}(?:\.\d{1,20})?$/, { min, max }, expected) ?? NaN
  }

  /** A whole number; undefined when it is missing, `NaN` when it is wrong. */
  integer(name: string, { min, max }: Range): number | undefined {
    if (this.#values[name] === undefined) return undefined
    const expected = `must be an integer from ${min} to ${max}`
    return this.#number(name, /^(?:0|[1-9]\d{0,9})$/, { min, max }, expected) ?? NaN
  }

  /** A text of 1 to so many characters; undefined when it is missing or wrong. */
  text(name: string, lengthMax: number): string | undefined {
    const value = this.#values[name]
    if (value === undefined) return undefined
    if (typeof value === 'string' && value !== '' && value.length <= lengthMax) return value
    this.wrong(name, `must be one text of 1 to ${lengthMax} characters`)
    return undefined
  }

  /** One of the choices; the first when it is missing or wrong. */
  choice<const Choice extends string>(
    name: string,
    choices: readonly [Choice, ...Choice[]],
  ): Choice {
    const value = this.#values[name]
    const found = choices.find((choice) => choice === value)
    if (found === undefined && value !== undefined) {
      this.wrong(name, `must be ${choices.map((choice) => `"${choice}"`).join(' or ')}`)
    }
    return found ?? choices[0]
  }

  /** Notes that a parameter is wrong. */
  wrong(name: string, detail: string): void {
    this.#errors.push({ pointer: `#/${name}`, detail })
  }

  #number(
    name: string,
    pattern: RegExp,
    { min, max }: Range,
    expected: string,
  ): number | undefined {
    const value = this.#values[name]
    if (typeof value === 'string' && pattern.test(value)) {
      const number = Number(value)
      // Adding 0 turns -0 into 0.
      if (number >= min && number <= max) return number + 0
    }
    this.wrong(name, `${value === undefined ? 'is missing: it ' : ''}${expected}`)
    return undefined
  }
}
