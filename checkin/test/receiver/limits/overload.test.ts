/** More requests than the receiver can take: what it takes stays the same, the rest is answered at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { receiverStage, request, valid, type Stage } from '../../stage/receiver-stage.ts'

const init = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(valid),
}

interface Burst {
  readonly taken: string[]
  readonly perSecond: number
  readonly refused: number
}

const seconds = 2.5

/** Sends at an even rate, whatever is answered. */
async function offer({ url }: Stage, perSecond: number): Promise<Burst> {
  const taken: string[] = []
  let refused = 0
  const one = async (): Promise<void> => {
    const { status, json, headers } = await request(`${url}/api/checkin`, init)
    if (status === 202) {
      taken.push(json?.id ?? '')
      return
    }
    assert.equal(status, 503)
    assert.match(headers.get('retry-after') ?? '', /^[123]$/)
    refused += 1
  }
  const all: Promise<void>[] = []
  const start = performance.now()
  while (performance.now() - start < seconds * 1000) {
    const due = ((performance.now() - start) / 1000) * perSecond
    while (all.length < due) all.push(one())
    await delay(2)
  }
  await Promise.all(all)
  return { taken, perSecond: taken.length / seconds, refused }
}

test('at 2 and 5 times what Redis can take, as much is taken as before, and nothing of it is lost', async (t) => {
  // 50 at a time that take half a second each: 100 a second.
  const stage = await receiverStage(t, { bounds: { inFlightMax: 50 } })
  stage.proxy.delayReplies(500)
  const peak = await offer(stage, 95)
  const taken = [...peak.taken]
  for (const perSecond of [200, 500]) {
    // A machine that is busy otherwise slows one burst more than another: one of three must be as good as the peak.
    const rates: number[] = []
    while (rates.length < 3 && !rates.some((rate) => rate >= 0.9 * peak.perSecond)) {
      const burst = await offer(stage, perSecond)
      assert.ok(burst.refused > 50, `${burst.refused} refused`)
      rates.push(burst.perSecond)
      taken.push(...burst.taken)
    }
    const goodput = `${rates.join(', ')} of ${peak.perSecond} a second`
    assert.ok(Math.max(...rates) >= 0.9 * peak.perSecond, goodput)
  }
  const ids = new Set((await stage.entries()).map(([id]) => id))
  assert.deepEqual(
    taken.filter((id) => !ids.has(id)),
    [],
  )
  stage.proxy.delayReplies(0)
  assert.equal((await stage.post(valid)).status, 202)
})
