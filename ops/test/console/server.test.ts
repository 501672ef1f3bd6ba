import assert from 'node:assert/strict'
import { connect as connectSocket } from 'node:net'
import { describe, test } from 'node:test'
import { pages } from '../../src/console/pages.ts'
import type {
  Entries,
  EntryLook,
  LetterPage,
  PendingPage,
  Reasons,
} from '../../src/console/wire.ts'
import { ConsoleStage, hostile, orders } from '../stage/console-stage.ts'

const billing = `stream=${orders.key}&group=billing`
const mailer = `stream=${orders.key}&group=mailer`

/** Every address with what it asks for; `ID` stands for an entry. */
const data = [
  '/api/about',
  '/api/snapshot',
  '/api/history',
  `/api/group?${billing}`,
  `/api/doctor?${billing}`,
  `/api/pending?${mailer}`,
  `/api/entry?stream=${orders.key}&id=1-1`,
  `/api/entries?stream=${orders.key}`,
  `/api/dead-letters?${billing}`,
  `/api/dead-letters/reasons?${billing}`,
  `/api/dead-letters/export?${billing}`,
]
const events = '/api/events'

/** Reads only: scripts may run, and whatever would write is refused by the server. */
const reader = ['looker', 'reset', 'on', '>secret', '~*', '+@all', '-@write', '-@admin', '+info']

describe('the console', () => {
  const stage = new ConsoleStage({ masked: ['price'] }, reader)

  test('answers at the addresses that are listed here, and at no other', () => {
    const wanted = [...pages, ...data.map((path) => path.split('?')[0] ?? ''), events]
    const others = ['/assets/:name', '/api/*', '/*']
    const found = stage.routes.filter(({ method }) => method === 'GET').map(({ url }) => url)
    assert.deepEqual(new Set(found), new Set([...wanted, ...others]))
    const methods = new Set(stage.routes.map(({ method }) => method))
    assert.deepEqual(methods, new Set(['GET', 'HEAD']), 'nothing else than looking')
  })

  test('refuses every address to another name of this machine, as a page of others would use', async () => {
    for (const path of [...pages, ...data, events, '/assets/x', '/api/nothing', '/nothing']) {
      const answer = await raw(stage.url, path, 'Host: evil.example')
      assert.match(answer, /^HTTP\/1\.1 403 /, path)
      assert.match(answer, /content-security-policy/, path)
    }
  })

  test('refuses what a proxy has passed on', async () => {
    for (const header of ['X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'Via']) {
      const { status } = await stage.get('/api/about', { [header]: 'for=203.0.113.7' })
      assert.equal(status, 403, header)
    }
  })

  test('refuses data to pages of other sites, and lets their links lead to a page', async () => {
    for (const path of [...data, events]) {
      assert.equal((await stage.get(path, { 'sec-fetch-site': 'cross-site' })).status, 403, path)
      assert.equal((await stage.get(path, { origin: 'http://evil.example' })).status, 403, path)
    }
    assert.equal((await stage.get('/group', { 'sec-fetch-site': 'cross-site' })).status, 200)
  })

  test('allows its own files alone, no frame, and keeps nothing in caches', async () => {
    for (const path of ['/', '/nothing', '/api/about', '/api/nothing']) {
      const { headers } = await stage.get(path)
      const policy = headers.get('content-security-policy') ?? ''
      assert.match(policy, /default-src 'none'/, path)
      assert.match(policy, /frame-ancestors 'none'/, path)
      assert.doesNotMatch(policy, /unsafe|\*|https?:/, path)
      assert.equal(headers.get('x-frame-options'), 'DENY', path)
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path)
      assert.equal(headers.get('cache-control'), 'no-store', path)
    }
  })

  test('says 404 to what is not there, and leads nowhere out of its files', async () => {
    const tricks = [
      '/assets/../../package.json',
      '/assets/..%2f..%2f..%2fpackage.json',
      '/assets/%2e%2e/index.html',
      '/../../../../etc/passwd',
      '/..%2f..%2fetc%2fpasswd',
      '/assets/index.html%00.js',
      '//etc/passwd',
    ]
    for (const path of tricks) {
      const answer = await raw(stage.url, path)
      assert.match(answer, /^HTTP\/1\.1 4\d\d /, path)
      assert.doesNotMatch(answer, /root:|"name": "millrace/, path)
    }
    assert.equal((await stage.get('/api/nothing')).status, 404)
    assert.equal((await stage.get('/nothing')).status, 404)
  })

  test('says 400 to ids and names that can be none', async () => {
    for (const path of [
      `/api/entry?stream=${orders.key}&id=abc`,
      '/api/entry?id=1-1',
      `/api/pending?${mailer}&count=1000000`,
      `/api/entries?stream=${orders.key}&from=yesterday`,
      '/api/dead-letters?stream=a&group=no%20name%20of%20ours',
    ]) {
      assert.equal((await stage.get(path)).status, 400, path)
    }
  })

  test('answers every question as a user of Redis who may not write', async () => {
    await stage.fill()
    for (const path of data) {
      const answer = await stage.get(path)
      assert.equal(answer.status, 200, `${path}: ${await answer.text()}`)
    }
  })

  test('tells ids and large numbers as they are, and hides what is masked', async () => {
    await stage.fill()
    const page = await stage.json<PendingPage>(`/api/pending?${mailer}`)
    assert.equal(page.entries.length, 4)
    assert.equal(page.entries[0]?.consumer, hostile)
    const { entries } = await stage.json<Entries>(`/api/entries?stream=big`)
    assert.equal(entries[0]?.id, '18446744073709551615-18446744073709551615')
    assert.deepEqual(entries[0].fields, [
      { name: 'large', value: '9007199254740993', length: 16, isMasked: false },
    ])
    for (const path of data) {
      const text = await (await stage.get(path)).text()
      assert.doesNotMatch(text, /9007199254740991/, `${path} shows a masked value`)
    }
  })

  test('reads pending entries page by page', async () => {
    await stage.fill()
    const first = await stage.json<PendingPage>(`/api/pending?${mailer}&count=3`)
    assert.equal(first.entries.length, 3)
    const rest = await stage.json<PendingPage>(`/api/pending?${mailer}&from=${first.next ?? ''}`)
    assert.equal(rest.entries.length, 1)
    assert.equal(rest.next, null)
  })

  test('groups dead letters by their errors but for the numbers', async () => {
    await stage.fill()
    const { reasons, isComplete } = await stage.json<Reasons>(
      `/api/dead-letters/reasons?${billing}`,
    )
    assert.equal(isComplete, true)
    const [group] = reasons
    assert.equal(reasons.length, 1)
    assert.equal(group?.reason, 'handler')
    assert.match(group.like, /answered # to <img/)
    const like = encodeURIComponent(group.like)
    const page = await stage.json<LetterPage>(
      `/api/dead-letters?${billing}&reason=handler&like=${like}`,
    )
    assert.equal(page.letters.length, group.letters)
    const none = await stage.json<LetterPage>(`/api/dead-letters?${billing}&like=other`)
    assert.deepEqual(none.letters, [])
  })

  test('tells of an entry where each group has it', async () => {
    await stage.fill()
    const { entries } = await stage.json<Entries>(`/api/entries?stream=${orders.key}&order=oldest`)
    const look = await stage.json<EntryLook>(
      `/api/entry?stream=${orders.key}&id=${entries[4]?.id ?? ''}`,
    )
    const kinds = look.groups.map(({ group, kind }) => [group, kind])
    assert.deepEqual(kinds, [
      ['billing', 'dead'],
      ['mailer', 'waiting'],
    ])
    assert.equal(look.groups[0]?.letter?.entryId, entries[4]?.id)
  })
})

/** Asks with the path as it is: `fetch` would tidy it up, and set the host. */
async function raw(url: string, path: string, ...headers: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connectSocket(Number(port), hostname)
  const host = headers.some((header) => /^host:/i.test(header)) ? [] : [`Host: ${hostname}:${port}`]
  socket.write(
    [`GET ${path} HTTP/1.1`, ...host, ...headers, 'Connection: close', '', ''].join('\r\n'),
  )
  let text = ''
  for await (const chunk of socket) {
    text += String(chunk)
    if (path.startsWith(events) && text.includes('\r\n\r\n')) break
  }
  socket.destroy()
  return text
}
