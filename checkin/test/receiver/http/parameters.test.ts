/** The parameters of all addresses, as the OpenAPI document has them: what it says is what is checked, and one answer says what is wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { receiverStage, type Answer, type Stage } from '../../stage/receiver-stage.ts'

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly schema: {
    readonly type?: string
    readonly minimum?: number
    readonly maximum?: number
    readonly maxLength?: number
    readonly enum?: readonly string[]
    readonly default?: string | number
  }
}

interface Asked {
  readonly method: string
  /** As in the document, like `/api/users/{id}`. */
  readonly template: string
  readonly parameters: readonly Parameter[]
}

/** Every operation that has parameters in its path or its query. */
function askedOf({ contract }: Stage): Asked[] {
  return Object.entries(contract.document.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([verb, operation]) => {
      const { parameters = [] } = operation as { parameters?: readonly Parameter[] }
      const ofAddress = parameters.filter(({ in: at }) => at === 'query' || at === 'path')
      return { method: verb.toUpperCase(), template, parameters: ofAddress }
    }),
  )
}

/** Asks with these texts; what is required and not among them gets a right one. */
async function ask(
  { get }: Stage,
  { method, template, parameters }: Asked,
  texts: readonly (readonly [name: string, text: string])[],
): Promise<Answer> {
  let path = template
  const query = new URLSearchParams()
  const named = new Set(texts.map(([name]) => name))
  const rest = parameters.filter(({ name, required = false }) => required && !named.has(name))
  for (const [name, text] of [...rest.map(({ name }) => [name, '1'] as const), ...texts]) {
    if (path.includes(`{${name}}`)) path = path.replace(`{${name}}`, encodeURIComponent(text))
    else query.append(name, text)
  }
  const isStream = template.endsWith('/stream')
  const headers = { 'content-type': isStream ? 'application/x-ndjson' : 'application/json' }
  const init = method === 'POST' ? { method, headers, body: '[]' } : {}
  return await get(`${path}?${query.toString()}`, init)
}

const isWrong = (answer: Answer, name: string): boolean =>
  answer.json?.errors?.some(({ pointer }) => pointer === `#/${name}`) === true

/** Texts that the document does not allow. */
function wrongTexts({ in: at, schema }: Parameter): string[] {
  const { minimum, maximum, maxLength, enum: choices } = schema
  const isNumber = schema.type === 'integer' || schema.type === 'number'
  return [
    ...(isNumber ? ['x', '1e1', '+1', ' 1', '0x1', '1_0', 'NaN', '٣'] : []),
    ...(schema.type === 'integer' ? ['1.0', '01', '-0'] : []),
    ...(minimum === undefined ? [] : [String(minimum - 1)]),
    ...(maximum === undefined ? [] : [String(BigInt(Math.floor(maximum)) + 1n)]),
    ...(maxLength === undefined ? [] : ['x'.repeat(maxLength + 1)]),
    ...(choices === undefined ? [] : ['x', choices[0]?.toUpperCase() ?? '']),
    // An empty path is another address.
    ...(at === 'query' ? [''] : ['x']),
  ]
}

test('every parameter is refused in one way when it is wrong, and named', async (t) => {
  const stage = await receiverStage(t)
  let count = 0
  for (const asked of askedOf(stage)) {
    for (const parameter of asked.parameters) {
      const { name } = parameter
      const twice = parameter.in === 'query' ? [[name, '1'] as const, [name, '1'] as const] : []
      for (const texts of [
        ...wrongTexts(parameter).map((text) => [[name, text] as const]),
        twice,
      ]) {
        if (texts.length === 0) continue
        const where = `${asked.method} ${asked.template} ${JSON.stringify(texts)}`
        const answer = await ask(stage, asked, texts)
        assert.equal(answer.status, 400, where)
        assert.equal(answer.json?.type, '/problems/validation', where)
        assert.deepEqual(
          answer.json.errors?.map(({ pointer }) => pointer),
          [`#/${name}`],
          where,
        )
        count += 1
      }
    }
  }
  assert.ok(count > 150, `${count}`)
})

test('what the document allows at its bounds is taken', async (t) => {
  const stage = await receiverStage(t)
  for (const asked of askedOf(stage)) {
    for (const { name, schema } of asked.parameters) {
      const { minimum, maximum, enum: choices = [], default: ordinary } = schema
      const right = [minimum, maximum, ...choices, ordinary].filter((value) => value !== undefined)
      for (const value of right) {
        const answer = await ask(stage, asked, [[name, String(value)]])
        assert.ok(!isWrong(answer, name), `${asked.template} ${name}=${String(value)}`)
      }
    }
  }
})

test('all that is wrong is named at once, and what is required when it is missing', async (t) => {
  const stage = await receiverStage(t)
  const answer = await stage.get('/api/locations/nearby?limit=0&radius=x&lng=1e1')
  assert.equal(
    answer.json?.detail,
    '#/lat is missing: it must be a number from -85.05112878 to 85.05112878, written like 38.72; ' +
      '#/lng must be a number from -180 to 180, written like 38.72; ' +
      '#/radius must be an integer from 1 to 100000; #/limit must be an integer from 1 to 100',
  )
  const both = await stage.get('/api/checkins?from=yesterday&limit=0')
  assert.deepEqual(
    both.json?.errors?.map(({ pointer }) => pointer),
    ['#/from', '#/limit'],
  )
  const cursor = Buffer.from('1 5-5 +').toString('base64url')
  const instead = await stage.get(`/api/checkins?cursor=${cursor}&from=1`)
  assert.deepEqual(instead.json?.errors, [
    { pointer: '#/cursor', detail: 'stands for "from" and "to": give it without them' },
  ])
})
