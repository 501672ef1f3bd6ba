import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { startRedis } from '../../testing/redis-servers.ts'
import type { ApplyResult } from '../bench/apply.ts'
import { checkHashes } from '../bench/check.ts'
import { openClient, type Client } from '../bench/client.ts'
import { repositoryRoot } from '../bench/places.ts'
import { renderReport } from '../bench/report.ts'
import { rivals } from '../bench/rivals/all.ts'
import { foldCheckins, keys, makeCheckins, type WorkloadEntry } from '../bench/workload.ts'

const execute = promisify(execFile)
const program = join(repositoryRoot, 'checkin', 'bench', 'main.ts')

async function bench(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const flags = ['--conditions=millrace-source', '--import', 'tsx']
  return execute(process.execPath, [...flags, program, ...args], { cwd: repositoryRoot })
}

test('bench apply measures every rival, checks each result, and leaves a table and a JSON file', async (t) => {
  const results = await mkdtemp(join(tmpdir(), 'millrace-bench-test-'))
  t.after(() => rm(results, { recursive: true, force: true }))
  const { stdout, stderr } = await bench(
    ...['apply', '--rounds', '1', '--entries', '2000', '--results', results],
  )
  const result = JSON.parse(await readFile(join(results, 'apply.json'), 'utf8')) as ApplyResult
  assert.deepEqual(
    result.rivals.map(({ name }) => name),
    rivals.map(({ name }) => name),
  )
  const report = renderReport(result)
  for (const { name, label, promise, entries, rate, ratio, rounds } of result.rivals) {
    assert.ok(stdout.includes(label), `${label} is in the table`)
    assert.ok(report.includes(label), `${label} is in the report`)
    const check = promise === 'no effect' ? 'no effect to check' : 'result correct'
    assert.match(stderr, new RegExp(`${name}: [\\d,]+ check-ins/s, ${check}`))
    assert.equal(rounds.length, 1)
    assert.ok(entries > 0 && rate.median > 0 && ratio.median > 0)
  }
})

test('bench refuses an unknown name with the list and exit code 2', async () => {
  await assert.rejects(bench('nope'), {
    code: 2,
    stderr: 'error: Cannot run benchmark "nope": there are apply, report\n',
  })
})

test('reference fold rounds half up and lets the newest check-in win in any order', () => {
  const first = { id: '1000-0', at: 1000, userId: 1, locationId: 7, starRating: 2 }
  const second = { id: '2000-0', at: 2000, userId: 1, locationId: 8, starRating: 5 }
  const third = { id: '1500-0', at: 1500, userId: 2, locationId: 8, starRating: 0 }
  assert.deepEqual(
    Object.fromEntries(foldCheckins([third, second, first])),
    Object.fromEntries([
      [keys.user(2), { numCheckins: '1', lastCheckin: '1500', lastSeenAt: '8' }],
      [keys.user(1), { numCheckins: '2', lastCheckin: '2000', lastSeenAt: '8' }],
      [keys.location(8), { numCheckins: '2', numStars: '5', averageStars: '3' }],
      [keys.location(7), { numCheckins: '1', numStars: '2', averageStars: '2' }],
    ]),
  )
})

test('check accepts the right hashes, whatever other fields they carry', async (t) => {
  const { client, checkins } = await applied(t)
  await client.hSet(keys.user(1), 'firstName', 'Ada')
  await checkHashes(client, foldCheckins(checkins))
})

const wrongEffects: Record<string, (client: Client) => Promise<unknown>> = {
  'an entry applied twice': (client) => client.hIncrBy(keys.user(1), 'numCheckins', 1),
  'an older check-in that won': (client) => client.hSet(keys.user(1), 'lastCheckin', '1'),
  'an average rounded down': (client) => client.hIncrBy(keys.location(1), 'averageStars', -1),
  'a lost hash': (client) => client.del(keys.location(1)),
  'a hash of a user who never checked in': (client) =>
    client.hSet(keys.user(5000), 'numCheckins', '1'),
}

for (const [name, spoil] of Object.entries(wrongEffects)) {
  test(`check catches ${name}`, async (t) => {
    const { client, checkins } = await applied(t)
    await spoil(client)
    await assert.rejects(checkHashes(client, foldCheckins(checkins)), /Wrong result in \d+ places/)
  })
}

/** A server on which every check-in has taken its right effect. */
async function applied(
  t: TestContext,
): Promise<{ client: Client; checkins: readonly WorkloadEntry[] }> {
  const server = await startRedis()
  t.after(() => server.stop())
  const client = await openClient(server.url)
  t.after(() => client.destroy())
  const checkins = makeCheckins(5000)
  for (const [key, fields] of foldCheckins(checkins)) await client.hSet(key, fields)
  return { client, checkins }
}
