/** Metrics for consumers of one's own: counts, times and states, and what they cost push-down: nothing that ends it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { connect, count, integer, projection, stream } from 'millrace'
import { ConsumerMetrics, serveMetrics } from 'millrace-ops/metrics'
import { metricFaults, noPrometheus } from '../../../testing/promtool.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { OperatorStage } from '../stage/operator-stage.ts'

describe('metrics of consumers', { concurrency: false }, () => {
  const stage = new OperatorStage()

  test('tell counts, times and states of several', async (t) => {
    const millrace = await connect({ url: stage.url })
    t.after(() => millrace.close())
    const visits = stream('visits', { guest: integer(1) })
    const guests = projection('guests:{guest}', { visits: count() })
    const group = millrace.group(visits, 'desk')
    await group.create()
    const metrics = new ConsumerMetrics({ stream: visits.key, group: 'desk' })
    metrics.watchConnection(millrace)
    const values = Array.from({ length: 20 }, (_, n) => ({ values: { guest: n + 1 } }))
    await millrace.appendMany(visits, values)
    const folding = group.consumer('folding', {
      projections: [guests],
      drain: true,
      observer: { ...metrics.observer },
    })
    metrics.watch(folding)
    await folding.run()
    await millrace.appendMany(visits, values)
    const handling = group.consumer('handling', {
      projections: [guests],
      handler: ({ values: { guest } }) =>
        guest === 7 ? { kind: 'dead-letter', reason: 'no' } : undefined,
      observer: metrics.observer,
    })
    metrics.watch(handling)
    const run = handling.run()
    t.after(() => run)
    t.after(() => handling.stop())
    await waitFor(() => handling.counts.applied === 19, { what: 'all to be applied' })
    const text = await metrics.text()
    const at = 'stream="visits",group="desk"'
    for (const line of [
      `millrace_processed_total{${at},outcome="applied"} 39`,
      `millrace_processed_total{${at},outcome="dead_lettered"} 1`,
      `millrace_claimed_total{${at}} 0`,
      `millrace_process_duration_seconds_count{${at},step="handle"} 20`,
      `millrace_process_duration_seconds_bucket{le="10",${at},step="handle"} 20`,
      `millrace_paused{${at}} 0`,
      'millrace_redis_up 1',
      'millrace_redis_reconnects_total 0',
      'millrace_writes_refused 0',
    ]) {
      assert.ok(text.split('\n').includes(line), line)
    }
    // Of what was folded at most the ends of each batch, of what was pulled each.
    const sampled = Number(/append_to_applied_seconds_count\{[^}]+\} (\d+)/.exec(text)?.[1])
    assert.ok(sampled >= 21 && sampled <= 59, `${sampled}`)
    assert.match(text, /^millrace_append_to_applied_seconds_bucket\{le="10",[^}]+\} [1-9]/m)
    if (noPrometheus === false) assert.equal(metricFaults(text), '')
    await group.pause()
    await waitFor(async () => (await metrics.text()).includes(`millrace_paused{${at}} 1`), {
      what: 'the pause',
    })
  })

  test('that cannot be told are a 500 without a reason', async (t) => {
    const fail = (): never => {
      throw new Error('secret')
    }
    const text = () => Promise.resolve().then(fail)
    const server = await serveMetrics({ port: 0, host: '127.0.0.1', text, readiness: fail })
    t.after(() => server.close())
    for (const path of ['/metrics', '/readyz']) {
      const answer = await fetch(server.url.replace('/metrics', path))
      assert.equal(answer.status, 500)
      assert.doesNotMatch(await answer.text(), /secret/)
    }
  })
})
