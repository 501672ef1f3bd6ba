/** The OpenAPI document, and the page that shows it. (That answers are as documented is checked with every answer of a stage.) */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { Contract } from '../../stage/contract.ts'
import { exchange } from '../../stage/raw-http.ts'
import { receiverStage, request, valid } from '../../stage/receiver-stage.ts'

const operationsOf = ({ document }: Contract) =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ at: `${method} ${path}`, operation })),
  )

test('every operation says what it is and what it may answer', async (t) => {
  const { contract } = await receiverStage(t)
  const { document } = contract
  assert.match(document.openapi, /^3\.1\./)
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true })
  for (const { at, operation } of operationsOf(contract)) {
    const { summary, description, tags, responses } = operation
    assert.ok(summary !== undefined && description !== undefined && tags?.length === 1, at)
    const toAll = ['400', '405', '408', '417', '421', '431', '500', '501']
    for (const status of toAll) assert.ok(status in responses, `${at} ${status}`)
    for (const [status, { headers = {}, content = {} }] of Object.entries(responses)) {
      assert.ok('X-Request-Id' in headers, `${at} ${status}`)
      const types = Object.keys(content)
      if (Number(status) >= 400 && !/livez|readyz|health/.test(at)) {
        assert.ok(types.includes('application/problem+json'), `${at} ${status}`)
      }
    }
  }
  for (const schema of Object.values(document.components.schemas)) ajv.compile(schema)
  assert.doesNotMatch(JSON.stringify(document), /def-\d/)
})

/** Generated clients call operations so: a change of a name, or of its address, breaks them. Others may be added. */
const promised: Readonly<Record<string, string>> = {
  createCheckin: 'post /api/checkin',
  createCheckins: 'post /api/checkins',
  streamCheckins: 'post /api/checkins/stream',
  listCheckins: 'get /api/checkins',
  listLatestCheckins: 'get /api/checkins/latest',
  getCheckin: 'get /api/checkins/{id}',
  getUser: 'get /api/users/{id}',
  getUserAlias: 'get /api/user/{id}',
  getLocation: 'get /api/locations/{id}',
  getLocationAlias: 'get /api/location/{id}',
  listNearbyLocations: 'get /api/locations/nearby',
  listTopLocations: 'get /api/leaderboards/locations',
  listTopUsers: 'get /api/leaderboards/users',
  isLive: 'get /livez',
  isReady: 'get /readyz',
  getHealth: 'get /health',
  getMetrics: 'get /metrics',
  getOpenApi: 'get /openapi.json',
}

test('every operation has a name of its own, and those at older addresses are deprecated', async (t) => {
  const { contract } = await receiverStage(t)
  const names = operationsOf(contract).map(({ at, operation }) => [operation.operationId, at])
  const held = Object.fromEntries(names) as Readonly<Record<string, string>>
  assert.equal(Object.keys(held).length, names.length, 'each has one of its own')
  for (const name of Object.keys(held))
    assert.match(name, /^(?:create|get|is|list|stream)[A-Z]\w+$/)
  for (const [name, at] of Object.entries(promised)) assert.equal(held[name], at, name)
  const deprecated = operationsOf(contract).filter(({ operation }) => operation.deprecated)
  assert.deepEqual(
    deprecated.map(({ operation }) => operation.operationId),
    ['getUserAlias', 'getLocationAlias'],
  )
})

test('every operation names the scope that it asks for, or says why it asks for none', async (t) => {
  const { contract, get, post } = await receiverStage(t, { access: { apiKeys: true } })
  for (const { at, operation } of operationsOf(contract)) {
    const { security, description = '', responses } = operation
    assert.ok(security !== undefined, at)
    const [method = '', path = ''] = at.split(' ')
    const init = { method: method.toUpperCase() }
    const { status } = await get(path.replace('{id}', '1'), init)
    if (security.length === 0) {
      assert.notEqual(status, 401, at)
      assert.match(description, /Asks for no key or token: /, at)
    } else {
      assert.equal(status, 401, at)
      const [scope = ''] = security[0]?.bearer ?? []
      assert.ok(description.includes(`scope \`${scope}\``), at)
      assert.ok('401' in responses && '403' in responses && '429' in responses, at)
    }
  }
  assert.equal((await post(valid)).status, 401)
})

test('lines may be sent to an address of their own, where nothing else is taken', async (t) => {
  const { get, entries } = await receiverStage(t)
  const ndjson = { 'content-type': 'application/x-ndjson' }
  const send = (body: string, headers: Record<string, string>) =>
    get('/api/checkins/stream', { method: 'POST', headers, body })
  const line = JSON.stringify(valid)
  const answer = await send(`${line}\nnonsense\n`, ndjson)
  assert.equal(answer.status, 207)
  assert.equal(answer.text.trimEnd().split('\n').length, 2)
  const many = await send(`${line}\n`.repeat(1000), ndjson)
  assert.equal(many.status, 202)
  assert.equal(many.text.trimEnd().split('\n').length, 1000)
  const json = await send(`[${line}]`, { 'content-type': 'application/json' })
  assert.equal(json.status, 415)
  assert.match(json.json?.detail ?? '', /Arrays go to \/api\/checkins/)
  assert.equal((await entries()).length, 1001)
})

test('what is refused at the head of a request is documented with its status', async (t) => {
  const stage = await receiverStage(t, { timeouts: { headersMs: 500 } })
  const to = (path: string, ...lines: readonly string[]): string =>
    [`GET ${path} HTTP/1.1`, 'Connection: close', ...lines, '\r\n'].join('\r\n')
  const cases: readonly [bytes: string, status: number][] = [
    [to('/livez', 'Host: localhost', 'Expect: x'), 417],
    [to('/livez', 'Host: localhost', 'Transfer-Encoding: gzip, chunked'), 501],
    [to('/livez', 'Host: elsewhere.example'), 421],
    [to('/livez', 'Host: localhost', `X: ${'x'.repeat(20_000)}`), 431],
    [to('/livez', 'Host: localhost').trimEnd(), 408],
    [to('/livez', 'Host: localhost').replace('GET', 'DELETE'), 405],
  ]
  for (const [bytes, status] of cases) {
    const text = await exchange(stage, bytes)
    const [head = '', body = ''] = text.split('\r\n\r\n')
    const pairs = head.split('\r\n').slice(1)
    const headers = new Headers(
      pairs.map((pair) => pair.split(/: (.*)/).slice(0, 2) as [string, string]),
    )
    const answer = { status: Number(head.slice(9, 12)), headers, text: body, json: undefined }
    assert.equal(answer.status, status)
    stage.contract.check('GET', '/livez', answer)
  }
})

test('every address that the receiver has is documented, with its other methods refused', async (t) => {
  const { contract, get } = await receiverStage(t)
  for (const [template, methods] of Object.entries(contract.document.paths)) {
    const path = template.replaceAll(/\{[^}]+\}/g, '1')
    for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
      if (method.toLowerCase() in methods) continue
      const answer = await get(path, { method })
      assert.equal(answer.status, 405, `${method} ${path}`)
    }
  }
})

test('an answer that is not documented is noticed', async (t) => {
  const { contract, post } = await receiverStage(t)
  const answer = await post(valid)
  contract.check('POST', '/api/checkin', answer)
  const headersWith = (name: string, value: string): Headers => {
    const headers = new Headers(answer.headers)
    headers.set(name, value)
    return headers
  }
  const wrong = [
    { ...answer, status: 299 },
    { ...answer, text: '{"id":5}' },
    { ...answer, text: '{}' },
    { ...answer, headers: headersWith('content-type', 'text/html') },
    { ...answer, headers: headersWith('x-request-id', '') },
    { ...answer, headers: headersWith('referrer-policy', 'origin') },
    { ...answer, headers: headersWith('etag', '"x"') },
  ]
  for (const other of wrong) assert.throws(() => contract.check('POST', '/api/checkin', other))
  assert.throws(() => contract.check('GET', '/nowhere', answer))
  assert.ok(contract instanceof Contract)
})

test('without documentation its addresses are like any other', async (t) => {
  const { url } = await receiverStage(t, { access: { docs: false } })
  for (const path of ['/docs', '/docs/json', '/docs/static/swagger-ui.css', '/openapi.json']) {
    const answer = await request(`${url}${path}`)
    assert.equal(answer.status, 404, path)
    assert.match(answer.text, /There is nothing at this address/, path)
  }
  assert.equal((await request(`${url}/livez`)).status, 200)
})

test('the page of the documentation loads nothing from elsewhere', async (t) => {
  const { url } = await receiverStage(t)
  const page = await fetch(`${url}/docs`)
  assert.equal(page.status, 200)
  const policy = page.headers.get('content-security-policy') ?? ''
  assert.match(policy, /default-src 'none'; script-src 'self';/)
  const html = await page.text()
  assert.doesNotMatch(html, /<script>|(?:src|href)="(?:https?:)?\/\//)
  const parts = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '')
  assert.ok(parts.length > 3)
  for (const path of parts) {
    const part = await fetch(new URL(path, url))
    assert.equal(part.status, 200, path)
    await part.arrayBuffer()
  }
})
