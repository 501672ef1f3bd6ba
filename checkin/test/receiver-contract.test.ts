/** The OpenAPI document, and the page that shows it. (That answers are as documented is checked with every answer of a stage.) */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { Contract } from './contract.ts'
import { receiverStage, valid } from './receiver-stage.ts'

test('every operation says what it is and what it may answer', async (t) => {
  const { contract } = await receiverStage(t)
  const { document } = contract
  assert.match(document.openapi, /^3\.1\./)
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ at: `${method} ${path}`, operation })),
  )
  const known = operations.map(({ at }) => at)
  for (const at of [
    'post /api/checkin',
    'get /api/checkins/latest',
    'get /api/users/{id}',
    'get /livez',
    'get /readyz',
    'get /health',
    'get /metrics',
    'get /openapi.json',
  ]) {
    assert.ok(known.includes(at), at)
  }
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true })
  for (const { at, operation } of operations) {
    const { summary, tags, responses } = operation as typeof operation & Record<string, unknown>
    assert.ok(typeof summary === 'string' && Array.isArray(tags), at)
    for (const status of ['400', '421', '500']) assert.ok(status in responses, `${at} ${status}`)
    for (const [status, { content = {} }] of Object.entries(responses)) {
      const types = Object.keys(content)
      if (Number(status) >= 400 && types.length > 0 && !/livez|readyz|health/.test(at)) {
        assert.ok(types.includes('application/problem+json'), `${at} ${status}`)
      }
    }
  }
  for (const schema of Object.values(document.components.schemas)) ajv.compile(schema)
  assert.doesNotMatch(JSON.stringify(document), /def-\d/)
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
  const wrong = [
    { ...answer, status: 299 },
    { ...answer, text: '{"id":5}' },
    { ...answer, text: '{}' },
    { ...answer, headers: new Headers({ 'x-request-id': 'x', 'content-type': 'text/html' }) },
    { ...answer, headers: new Headers({ 'content-type': 'application/json' }) },
  ]
  for (const other of wrong) assert.throws(() => contract.check('POST', '/api/checkin', other))
  assert.throws(() => contract.check('GET', '/nowhere', answer))
  assert.ok(contract instanceof Contract)
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
