/** What the doctor finds where others work: only the server counts the silence of a consumer, so the facts are given here. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RosterEntry } from 'millrace/operate'
import { foreignChecks } from '../../src/doctor/foreign-checks.ts'
import type { GroupFacts } from '../../src/doctor/group-facts.ts'
import { plainWords } from '../../src/service.ts'

const consumer = (name: string, pending: number, idleMs: number): RosterEntry => ({
  ...{ name, pending, idleMs, state: 'no-lease', isPaused: false, pause: null },
  ...{ leaseLeftMs: null, holder: null },
})

const factsOf = (...roster: readonly RosterEntry[]): GroupFacts => ({
  ...{ stream: 'orders', group: 'billing', hasStream: true, isForeign: true, roster },
  ...{ words: plainWords, typed: (line: string) => `npx millrace ${line} --stream orders` },
  ...{ pauses: { group: null, consumers: {} }, balance: undefined, flow: undefined },
  plan: {} as GroupFacts['plan'],
})

const findings = (facts: GroupFacts) =>
  foreignChecks.flatMap((check) => {
    const finding = check(facts)
    return finding === undefined ? [] : [finding]
  })

test('who holds entries and has not read for a minute is named, and how long', () => {
  const facts = factsOf(
    consumer('gone', 12, 3_600_000),
    consumer('busy', 3, 900),
    consumer('idle', 0, 90_000),
  )
  const held = findings(facts).find(({ check }) => check === 'pending-silent')
  assert.equal(held?.severity, 'warning')
  assert.match(held.what, /hold pending entries: gone \(12, silent for 1 h\)\.$/)
  assert.match(held.remedy, /^npx millrace pending --stream orders shows them/)
})

test('who reads, or holds nothing, is not', () => {
  const facts = factsOf(consumer('busy', 3, 59_000), consumer('idle', 0, 90_000))
  assert.deepEqual(
    findings(facts).map(({ check }) => check),
    ['foreign-group'],
  )
})

for (const [idleMs, severity] of [
  [59_000, 'warning'],
  [61_000, 'problem'],
] as const) {
  test(`that nothing is taken is a ${severity} where somebody read ${idleMs} ms ago`, () => {
    const flow = { isBehind: true, isStanding: true, seconds: 6 } as GroupFacts['flow']
    const balance = { undelivered: 3, pending: 2 } as GroupFacts['balance']
    const roster = [consumer('gone', 2, 3_600_000), consumer('last', 0, idleMs)]
    const standing = findings({ ...factsOf(...roster), flow, balance }).find(
      ({ check }) => check === 'lag-stands',
    )
    assert.equal(standing?.severity, severity)
    assert.match(standing.what, /^Nobody took anything for 6\.0 s: .* Who read last, last, did so /)
  })
}
