/** Each known defect is caught by the checks of chaos: what catches nothing proves nothing. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { serverKinds } from '../../testing/redis-servers.ts'
import { mayTake } from '../../testing/time-limit.mjs'
import { seedOfRun } from '../../testing/seeded-random.ts'
import { controls } from '../controls.ts'
import { patchedCopy } from '../engine-copy.ts'
import { runControl } from '../run-control.ts'

describe('negative control', { concurrency: 2 }, () => {
  for (const control of controls) {
    test(`${control.name} is caught`, async (t) => {
      // Four runs at most.
      mayTake(t, 270)
      const server = serverKinds()[0] ?? 'redis'
      const { isCaught, found, example } = await runControl(control, { server, seed: seedOfRun })
      const violations = JSON.stringify([...found])
      t.diagnostic(`seed ${seedOfRun}: ${violations}: ${example.slice(0, 200)}`)
      assert.ok(
        isCaught,
        `seed ${seedOfRun}: expected ${control.expected.join(' or ')}, found ${violations}`,
      )
    })
  }
})

test('a control whose patch matches nothing any more is stale', () => {
  const patch = { file: 'engine/lua/lease.lua', find: 'no such text', replace: '' }
  assert.throws(
    () => patchedCopy([patch]),
    /Control is stale: engine\/lua\/lease.lua holds 0 times/,
  )
})
