/** Holds answers of a receiver against its OpenAPI document: every route, every status, every body that a test sees. */
import assert from 'node:assert/strict'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { Answer } from './receiver-stage.ts'

const securityHeaders = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
}

interface Operation {
  readonly operationId?: string
  readonly summary?: string
  readonly description?: string
  readonly deprecated?: boolean
  readonly tags?: readonly string[]
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly headers?: Readonly<Record<string, unknown>>
        readonly content?: Readonly<Record<string, { readonly schema: MediaSchema }>>
      }
    >
  >
}

interface MediaSchema {
  /** Of each line. */
  readonly contentSchema?: object
}

/** Headers that mean something to a client of this API: where an answer has one, it is documented. */
const ownHeaders = [
  'x-request-id',
  'location',
  'idempotent-replayed',
  'retry-after',
  'ratelimit',
  'ratelimit-policy',
  'www-authenticate',
  'etag',
  'allow',
]

/** The part of an OpenAPI document that the tests look at. */
export interface ApiDocument {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

export class Contract {
  readonly document: ApiDocument
  readonly #ajv: Ajv2020
  readonly #validators = new Map<object, ValidateFunction>()

  constructor(document: ApiDocument) {
    this.document = document
    this.#ajv = new Ajv2020({ allErrors: true, strict: false })
    addFormats.default(this.#ajv)
    this.#ajv.addSchema({ $id: 'document', components: document.components })
  }

  /** Fails when the answer is not documented for this method and path, or not as documented. */
  check(method: string, path: string, answer: Answer): void {
    const { status, headers } = answer
    const where = `${method} ${path} -> ${status}`
    assert.match(headers.get('x-request-id') ?? '', /^\S+$/, `${where} has a request id`)
    for (const [name, value] of Object.entries(securityHeaders)) {
      assert.equal(headers.get(name), value, `${where} has ${name}`)
    }
    // Lines are another operation's, which is at this address, too.
    const isLines =
      mediaOf(answer) === 'application/x-ndjson' && /^\/api\/checkins(?:\?|$)/.test(path)
    const operation = this.#operation(method, isLines ? '/api/checkins/stream' : path)
    if (operation === undefined) {
      this.#checkElsewhere(method, answer, where)
      return
    }
    const documented = operation.responses[status]
    assert.ok(documented !== undefined, `${where} is not documented`)
    const described = Object.keys(documented.headers ?? {}).map((name) => name.toLowerCase())
    for (const name of ownHeaders.filter((own) => headers.has(own))) {
      assert.ok(described.includes(name), `${where} is not documented with ${name}`)
    }
    if (documented.content === undefined) assert.equal(answer.text, '', `${where} has no body`)
    else if (answer.text !== '' || method !== 'HEAD') {
      this.#checkBody(documented.content[mediaOf(answer)]?.schema, answer, where)
    }
  }

  /** Another address or method: documented for the whole API. */
  #checkElsewhere(method: string, { status, text }: Answer, where: string): void {
    // The browser's question whether a page may (CORS): no operation of the API.
    if (method === 'OPTIONS' && status === 204) return
    assert.ok([400, 404, 405, 421].includes(status), `${where} is not documented`)
    this.#validate({ $ref: '#/components/schemas/Problem' }, text, where)
  }

  #checkBody(schema: MediaSchema | undefined, answer: Answer, where: string): void {
    const media = mediaOf(answer)
    assert.ok(schema !== undefined, `${where} is not documented as ${media}`)
    const { contentSchema } = schema
    if (contentSchema !== undefined) {
      for (const line of answer.text.trimEnd().split('\n'))
        this.#validate(contentSchema, line, where)
    } else if (media.endsWith('json')) this.#validate(schema, answer.text, where)
  }

  #operation(method: string, path: string): Operation | undefined {
    const [bare = ''] = path.split('?')
    const verb = method === 'HEAD' ? 'get' : method.toLowerCase()
    const candidates = Object.entries(this.document.paths).filter(([template]) =>
      new RegExp(`^${template.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`).test(bare),
    )
    // A fixed address wins over one with parameters.
    candidates.sort(([a], [b]) => Number(a.includes('{')) - Number(b.includes('{')))
    return candidates[0]?.[1][verb]
  }

  #validate(schema: object, text: string, where: string): void {
    let validate = this.#validators.get(schema)
    if (validate === undefined) {
      const absolute = JSON.stringify(schema).replaceAll('"#/components', '"document#/components')
      validate = this.#ajv.compile(JSON.parse(absolute) as object)
      this.#validators.set(schema, validate)
    }
    const isValid = validate(JSON.parse(text))
    assert.ok(isValid, `${where}: ${this.#ajv.errorsText(validate.errors)}\n${text}`)
  }
}

const mediaOf = ({ headers }: Answer): string =>
  (headers.get('content-type') ?? '').replace(/;.*/, '')
