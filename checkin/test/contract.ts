/** Holds answers of a receiver against its OpenAPI document: every route, every status, every body that a test sees. */
import assert from 'node:assert/strict'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { Answer } from './receiver-stage.ts'

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >
}

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
  check(method: string, path: string, { status, headers, text }: Answer): void {
    const where = `${method} ${path} -> ${status}`
    assert.match(headers.get('x-request-id') ?? '', /^\S+$/, `${where} has a request id`)
    const operation = this.#operation(method, path)
    // Another address or method: documented for the whole API.
    if (operation === undefined) {
      // The browser's question whether a page may (CORS): no operation of the API.
      if (method === 'OPTIONS' && status === 204) return
      assert.ok([400, 404, 405, 421].includes(status), `${where} is not documented`)
      this.#validate({ $ref: '#/components/schemas/Problem' }, text, where)
      return
    }
    const documented = operation.responses[status]
    assert.ok(documented !== undefined, `${where} is not documented`)
    const media = (headers.get('content-type') ?? '').replace(/;.*/, '')
    if (documented.content === undefined) {
      assert.equal(text, '', `${where} has no body`)
    } else if (text !== '' || method !== 'HEAD') {
      const schema = documented.content[media]?.schema
      assert.ok(schema !== undefined, `${where} is not documented as ${media}`)
      if (media.endsWith('json') && !media.includes('ndjson')) this.#validate(schema, text, where)
    }
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
