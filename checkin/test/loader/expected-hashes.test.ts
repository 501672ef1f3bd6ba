/**
 * The whole job on real input: load, process with 1, 3 and 8 group processors and with the single processor, and
 * compare every processed field, string for string. The expected hashes of our sample data come from the reference
 * interpreter; those of the seed data, where it lies beside the repository, from a script that is not ours.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Reference } from 'millrace/testing'
import { checkinModel } from '../../src/domain/checkins.ts'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { runMain } from '../../../testing/processes.ts'
import type { TestClient } from '../../../testing/test-client.ts'

const sampleFolder = fileURLToPath(new URL('../../data/', import.meta.url))
const seedFolder = fileURLToPath(new URL('../../../../shared/seed-data/', import.meta.url))
const model = checkinModel('ncc')

/** Key to the fields that processing changes. */
type Expected = Record<string, Record<string, string>>

const crews: { name: string; commands: string[][] }[] = [
  ...[1, 3, 8].map((many) => ({
    name: `${many} group processor${many === 1 ? '' : 's'}`,
    commands: Array.from({ length: many }, (_, at) => [
      ...['checkingroupprocessor', `consumer${at + 1}`, '--drain'],
      // Small batches, so that all of them get some.
      ...['--batch', '50'],
    ]),
  })),
  { name: 'the single processor', commands: [['checkinprocessor', '--drain']] },
]

// One after the other: they share the keys.
onOldestAndNewest(
  'processing',
  (bench) => {
    for (const { name, commands } of crews) {
      test(`of the sample data by ${name} leaves the hashes of the reference`, async () => {
        await process(sampleFolder, commands, bench().server.url)
        await compare(bench().redis, expectedOf(sampleFolder))
      })
      const isThere = existsSync(seedFolder)
      const skip = isThere ? false : 'not run: no seed data beside the repository'
      test(`of the seed data by ${name} leaves the expected hashes`, { skip }, async () => {
        await process(seedFolder, commands, bench().server.url)
        await compare(bench().redis, seedExpected())
      })
    }
  },
  { concurrency: false },
)

async function process(folder: string, commands: readonly string[][], url: string): Promise<void> {
  const env = { REDIS_URL: url }
  const loaded = await runMain(['load', '--data', folder, '--force', '--replace', '--yes'], { env })
    .exited
  assert.equal(loaded.code, 0, loaded.stderr)
  const crew = commands.map((command) => runMain(command, { env }).exited)
  for (const { code, stderr } of await Promise.all(crew)) assert.equal(code, 0, stderr)
}

async function compare(redis: TestClient, expected: Expected): Promise<void> {
  let fields = 0
  for (const [key, hash] of Object.entries(expected)) {
    const found = await redis.hash(key)
    for (const [field, value] of Object.entries(hash)) {
      assert.equal(found[field], value, `${key} ${field}`)
      fields += 1
    }
  }
  assert.ok(fields > 3000, 'too few fields were compared')
}

function seedExpected(): Expected {
  const { users, locations } = readJson(seedFolder, 'expected-hashes') as Record<
    'users' | 'locations',
    Expected
  >
  return {
    ...prefixed(users, (id) => model.userKey(id)),
    ...prefixed(locations, (id) => model.locationKey(id)),
  }
}

const prefixed = (hashes: Expected, keyOf: (id: string) => string): Expected =>
  Object.fromEntries(Object.entries(hashes).map(([id, hash]) => [keyOf(id), hash]))

/** Loads and folds in memory. */
function expectedOf(folder: string): Expected {
  const reference = new Reference(model.checkins, [model.users, model.locations])
  const load = (file: string, keyOf: (id: string) => string): void => {
    const records =
      (readJson(folder, file) as Record<string, Record<string, unknown>[]>)[file] ?? []
    for (const { id, ...fields } of records) {
      const texts = Object.entries(fields).map(([field, value]) => [field, String(value)] as const)
      reference.hashes.set(keyOf(String(id)), new Map(texts))
    }
  }
  load('users', (id) => model.userKey(id))
  load('locations', (id) => model.locationKey(id))
  const { checkins } = readJson(folder, 'checkins') as { checkins: CheckinRecord[] }
  for (const { id, ...values } of checkins) reference.apply({ id, values, unknown: undefined })
  return Object.fromEntries(
    [...reference.hashes].map(([key, hash]) => [key, Object.fromEntries(hash)]),
  )
}

interface CheckinRecord {
  id: string
  userId: number
  locationId: number
  starRating: number
}

function readJson(folder: string, name: string): unknown {
  return JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8'))
}
