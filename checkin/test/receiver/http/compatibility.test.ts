/** Clients that know nothing but the course: they post as they always did, and get their 202. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { freshPrefix, onOldestAndNewest, type Bench } from '../../../../testing/on-each-server.ts'
import { within } from '../../../../testing/wait-for.ts'
import { checkinModel } from '../../../src/domain/checkins.ts'
import { createReceiver } from '../../../src/receiver/receiver.ts'
import { collectingLog } from '../../stage/receiver-stage.ts'

const body = '{"userId":789,"locationId":171,"starRating":5}'

/** What `src/checkingenerator.js` of the course sends, by node-fetch 2: headers as it writes them, a connection for each. */
const generatorHead = (port: number): string =>
  [
    'POST /api/checkin HTTP/1.1',
    'Content-Type: application/json',
    'Accept: */*',
    `Content-Length: ${body.length}`,
    'User-Agent: node-fetch/1.0 (+https://github.com/bitinn/node-fetch)',
    'Accept-Encoding: gzip,deflate',
    'Connection: close',
    `Host: localhost:${port}`,
  ].join('\r\n')

/** The same check-in by hand, from a terminal. */
const curlHead = (port: number): string =>
  [
    'POST /api/checkin HTTP/1.1',
    `Host: localhost:${port}`,
    'User-Agent: curl/7.64.1',
    'Accept: */*',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ].join('\r\n')

/** Sends texts, each once the one before is handed over. @returns all that comes back until the connection ends. */
async function exchange(port: number, texts: readonly string[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  let answer = ''
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')))
  const ended = once(socket, 'end')
  for (const text of texts) await new Promise((sent) => socket.write(text, sent))
  await within(ended, { what: 'the answer' })
  socket.destroy()
  return answer
}

async function listening(t: TestContext, { millrace }: Bench) {
  const model = checkinModel(freshPrefix())
  const group = millrace.group(model.checkins, 'checkinConsumers')
  const receiver = createReceiver({ millrace, model, group, log: collectingLog().log })
  const url = await receiver.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => receiver.close())
  return { port: Number(new URL(url).port), key: model.checkins.key }
}

onOldestAndNewest("the seed's clients", (bench) => {
  const clients: Record<string, (port: number) => string[]> = {
    'the generator': (port) => [`${generatorHead(port)}\r\n\r\n${body}`],
    'the generator, head and body apart': (port) => [`${generatorHead(port)}\r\n\r\n`, body],
    'a terminal': (port) => [`${curlHead(port)}\r\n\r\n${body}`],
  }
  for (const [name, textsFor] of Object.entries(clients)) {
    test(`${name} gets its 202, and the check-in is in the stream`, async (t) => {
      const { port, key } = await listening(t, bench())
      const answer = await exchange(port, textsFor(port))
      assert.match(answer, /^HTTP\/1\.1 202 Accepted\r\n/)
      assert.doesNotMatch(answer, /^content-encoding:/im)
      const entries = (await bench().redis.send('XRANGE', key, '-', '+')) as [string, string[]][]
      assert.equal(entries.length, 1)
      const [[id, fields]] = entries as [[string, string[]]]
      assert.ok(answer.includes(`location: /api/checkins/${id}\r\n`), answer)
      const values = new Map(fields.map((field, at) => [field, fields[at + 1]] as const))
      assert.equal(fields.length, 6)
      assert.deepEqual(
        ['userId', 'locationId', 'starRating'].map((field) => values.get(field)),
        ['789', '171', '5'],
      )
    })
  }
})
