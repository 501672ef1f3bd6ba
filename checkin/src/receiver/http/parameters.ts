/**
 * The parameters of an address, in its path and its query. Each is declared once: the declaration is the type that the handler
 * gets, the check, and what the documentation says. Promise: nothing is coerced; a text that is not written as a parameter of its kind is
 * refused, and whatever is wrong is named at once.
 */
import { z } from 'zod'
import { jsonSchemaOf, type JsonSchema } from './documentation.ts'
import { ProblemError, wrongParameters, type FieldError } from './problem.ts'

/** The parameters of a path or a query by name. Those that are not named are ignored. */
export type Parameters = z.ZodObject

/** A whole number, written in decimal without sign, leading zeros and exponent. */
export function integerParameter(min: number, max: number) {
  const words = saying(`must be an integer from ${min} to ${max}`)
  return z
    .string(words)
    .regex(/^(?:0|[1-9]\d{0,15})$/, words)
    .transform(Number)
    .pipe(z.int(words).min(min, words).max(max, words))
}

/** A decimal number without exponent. */
export function decimalParameter(min: number, max: number) {
  const words = saying(`must be a number from ${min} to ${max}, written like 38.72`)
  return (
    z
      .string(words)
      .regex(/^-?\d{1,6}(?:\.\d{1,20})?$/, words)
      // Adding 0 turns -0 into 0.
      .transform((text) => Number(text) + 0)
      .pipe(z.number(words).min(min, words).max(max, words))
  )
}

/** A text of 1 to so many characters. */
export function textParameter(lengthMax: number) {
  const words = saying(`must be one text of 1 to ${lengthMax} characters`)
  return z.string(words).min(1, words).max(lengthMax, words)
}

/** One of some words. */
export function choiceParameter<const Choice extends string>(
  choices: readonly [Choice, ...Choice[]],
) {
  const words = saying(`must be ${choices.map((choice) => `"${choice}"`).join(' or ')}`)
  return z.enum(choices, words)
}

/**
 * A text that stands for something else.
 * @param expected what is said of another one, like `must be a time`.
 * @param read returns undefined for what is none.
 */
export function readParameter<Value>(
  expected: string,
  read: (text: string) => Value | undefined,
  documentation: JsonSchema = {},
) {
  return z
    .string(saying(expected))
    .transform((text, context): Value => {
      const value = read(text)
      if (value !== undefined) return value
      context.addIssue({ code: 'custom', message: expected })
      return z.NEVER
    })
    .meta({ type: 'string', ...documentation })
}

/** What is said of a parameter, whatever is wrong with it. */
function saying(expected: string): { error: (issue: { readonly input?: unknown }) => string } {
  return { error: ({ input }) => (input === undefined ? `is missing: it ${expected}` : expected) }
}

/** Checks the parameters of a route for Fastify, and replaces them by what they stand for. */
export function checkParameters({ schema }: { readonly schema: unknown }) {
  const parameters = schema as Parameters
  return (given: unknown): { readonly value: unknown } | { readonly error: Error } => {
    const { success, data, error } = parameters.safeParse(given)
    return success ? { value: data } : { error: new ProblemError(wrongParameters(errorsOf(error))) }
  }
}

/** One for each parameter that is wrong. */
function errorsOf({ issues }: z.ZodError): FieldError[] {
  const details = new Map<string, string>()
  for (const { path, message } of issues) {
    const pointer = `#/${path.join('/')}`
    if (!details.has(pointer)) details.set(pointer, message)
  }
  return [...details].map(([pointer, detail]) => ({ pointer, detail }))
}

/** What OpenAPI says of parameters. */
export function documentationOfParameters(parameters: Parameters): JsonSchema {
  const { properties } = jsonSchemaOf(parameters)
  const required = Object.entries(parameters.shape)
    .filter(([, parameter]) => !z.safeParse(parameter, undefined).success)
    .map(([name]) => name)
  return { type: 'object', properties, ...(required.length > 0 ? { required } : {}) }
}
