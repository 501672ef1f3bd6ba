/**
 * What the routes say of their answers and bodies. Promise: a schema of an answer is documentation and nothing else: it never changes
 * one. Tests hold the answers against it. (What a route says of its parameters is what checks them: `parameters.ts`.)
 */
import { z } from 'zod'
import { problemMediaType } from './problem.ts'

/** Plain JSON Schema (2020-12, as OpenAPI 3.1 has it). */
export type JsonSchema = Readonly<Record<string, unknown>>

/** One status of a route: `content` by media type, as in OpenAPI. */
export interface AnswerDocumentation {
  readonly description: string
  readonly headers?: Readonly<Record<string, JsonSchema>>
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>
}

/**
 * The documentation of a route; it stands beside its handler. Every status that the handler itself sends is named here; what
 * the foundation sends (wrong key, too many requests, body too long, store away) is added for all routes alike.
 */
export interface RouteDocumentation {
  /** What generated clients call the operation. Stable, and no other has it. */
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly tags: readonly ['check-ins' | 'reading' | 'operation']
  readonly headers?: { readonly type: 'object'; readonly properties: JsonSchema }
  /** True: the handler forbids to store its answer, so a reading has no ETag. */
  readonly isUnstored?: true
  /** A schema of JSON, or `{ content: { 'media/type': { schema } } }` where there are several. */
  readonly body?: JsonSchema
  readonly response: Readonly<Record<number, AnswerDocumentation>>
}

export type SchemaName = 'Checkin' | 'CheckinItem' | 'ItemResult' | 'Problem' | 'StreamEnd'

/** A schema that `openapi.ts` has under this name; generated clients have a type for each. */
export function named(name: SchemaName): JsonSchema {
  return { $ref: `${name}#` }
}

/** What a declaration says, as JSON Schema. */
export function jsonSchemaOf(declared: z.ZodType): JsonSchema {
  const schema = z.toJSONSchema(declared, { unrepresentable: 'any' })
  delete schema.$schema
  return schema
}

/** The id of an entry of the stream. */
export const entryIdSchema: JsonSchema = {
  type: 'string',
  pattern: '^\\d+-\\d+$',
  examples: ['1764000000123-0'],
}

/** A JSON answer. */
export function jsonAnswer(
  description: string,
  schema: JsonSchema,
  headers?: AnswerDocumentation['headers'],
): AnswerDocumentation {
  const content = { 'application/json': { schema } }
  return headers === undefined ? { description, content } : { description, headers, content }
}

/** A problem of RFC 9457. */
export function problemAnswer(description: string): AnswerDocumentation {
  return { description, content: { [problemMediaType]: { schema: named('Problem') } } }
}

/** Problem answers by status, to be spread into `response`. */
export function problemAnswers(
  descriptions: Readonly<Record<number, string>>,
): Record<number, AnswerDocumentation> {
  return Object.fromEntries(
    Object.entries(descriptions).map(([status, text]) => [Number(status), problemAnswer(text)]),
  )
}
