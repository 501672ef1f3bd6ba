import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { propertyRuns } from './property-runs.ts'
import { serverKinds } from './redis-servers.ts'

function setMost(t: TestContext, most: string | undefined): void {
  const before = process.env.MILLRACE_PROPERTY_RUNS
  const put = (value: string | undefined): void => {
    Reflect.deleteProperty(process.env, 'MILLRACE_PROPERTY_RUNS')
    if (value !== undefined) process.env.MILLRACE_PROPERTY_RUNS = value
  }
  put(most)
  t.after(() => put(before))
}

test('property runs are all on the first kind of server, and a fifth, but 100 at least, on others', (t) => {
  setMost(t, undefined)
  const [first = 'redis'] = serverKinds()
  const other = first === 'valkey9' ? 'redis' : 'valkey9'
  const runsOf = (full: number) => [
    propertyRuns(full),
    propertyRuns(full, first),
    propertyRuns(full, other),
  ]
  assert.deepEqual(runsOf(1001), [1001, 1001, 201])
  assert.deepEqual(runsOf(150), [150, 150, 100])
  assert.deepEqual(runsOf(60), [60, 60, 60])
})

test('property runs are no more than MILLRACE_PROPERTY_RUNS says', (t) => {
  setMost(t, '50')
  assert.deepEqual(
    [propertyRuns(500), propertyRuns(500, 'valkey9'), propertyRuns(20)],
    [50, 50, 20],
  )
  for (const wrong of ['0', '-1', '1.5', 'all']) {
    setMost(t, wrong)
    assert.throws(() => propertyRuns(500), RangeError)
  }
})
