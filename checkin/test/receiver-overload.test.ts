/** More requests than the receiver can take: what it takes stays the same, the rest is answered at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { receiverStage, request, valid, type Stage } from './receiver-stage.ts'

const init = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(valid),
}

interface Burst {
  readonly taken: string[]
  readonly perSecond: number
  readonly refused: number
  /** Median of the times (ms) that a refusal took, on a machine that does the asking as well. */
  readonly refusedMs: number
}

const seconds = 2.5

/** Sends at an even rate, whatever is answered. */
async function offer({ url }: Stage, perSecond: number): Promise<Burst> {
  const taken: string[] = []
  const refusedMs: number[] = []
  const one = async (): Promise<void> => {
    const startedAt = performance.now()
    const { status, json, headers } = await request(`${url}/api/checkin`, init)
    if (status === 202) {
      taken.push(json?.id ?? '')
      return
    }
    assert.equal(status, 503)
    assert.match(headers.get('retry-after') ?? '', /^[123]$/)
    refusedMs.push(performance.now() - startedAt)
  }
  const all: Promise<void>[] = []
  const start = performance.now()
  while (performance.now() - start < seconds * 1000) {
    const due = ((performance.now() - start) / 1000) * perSecond
    while (all.length < due) all.push(one())
    await delay(2)
  }
  await Promise.all(all)
  refusedMs.sort((a, b) => a - b)
  const { length } = refusedMs
  const median = refusedMs[Math.floor(length / 2)] ?? 0
  return { taken, perSecond: taken.length / seconds, refused: length, refusedMs: median }
}

test('at 2 and 5 times what Redis can take, as much is taken as before, and nothing of it is lost', async (t) => {
  // 100 at a time that take half a second each: 200 a second.
  const stage = await receiverStage(t, { bounds: { inFlightMax: 100 } })
  stage.proxy.delayReplies(500)
  const peak = await offer(stage, 190)
  const bursts = [await offer(stage, 400), await offer(stage, 1000)]
  for (const burst of bursts) {
    assert.ok(burst.refused > 100, `${burst.refused} refused`)
    assert.ok(
      burst.refusedMs < 250,
      `refused within ${burst.refusedMs} ms, half of what taking takes`,
    )
    const goodput = `${burst.perSecond} of ${peak.perSecond} a second`
    assert.ok(burst.perSecond >= 0.9 * peak.perSecond, goodput)
  }
  const ids = new Set((await stage.entries()).map(([id]) => id))
  const taken = [peak, ...bursts].flatMap((burst) => burst.taken)
  assert.deepEqual(
    taken.filter((id) => !ids.has(id)),
    [],
  )
  stage.proxy.delayReplies(0)
  assert.equal((await stage.post(valid)).status, 202)
})
