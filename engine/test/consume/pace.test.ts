/** How many entries a call takes: as many as fit into the budget, whatever else the machine does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pace } from '../../src/consume/pace.ts'

const most = 5000

/** A server's work: calls that wait for each other and last as long as they are told, in microseconds an entry. */
class Work {
  readonly pace = new Pace({ budgetMs: 2, most })
  #clock = 1_700_000_000_000_000
  #last: Promise<unknown> = Promise.resolve()
  #end: () => void = () => undefined

  /** A call is on its way until the next one is, so that each waits behind the one before. */
  async calls(costs: readonly number[]): Promise<void> {
    for (const cost of costs) {
      const taken = this.pace.count
      const began = this.#clock
      this.#clock += taken * cost
      const before = this.#last
      const endOfBefore = this.#end
      const { promise, end } = held()
      this.#end = end
      this.#last = this.pace.around(
        () => promise,
        () => ({ began, taken }),
      )
      endOfBefore()
      await before
    }
  }

  /** Nothing is on its way any more. */
  async rest(): Promise<void> {
    this.#end()
    await this.#last
  }

  /** The server does something else, or its clock is set. */
  passes(micros: number): void {
    this.#clock += micros
  }
}

function held(): { promise: Promise<void>; end: () => void } {
  let end = (): void => undefined
  const promise = new Promise<void>((resolve) => (end = resolve))
  return { promise, end }
}

const times = (many: number, cost: number): number[] => Array.from({ length: many }, () => cost)

test('begins small, and takes what fits into the budget', async () => {
  const work = new Work()
  assert.equal(work.pace.count, 100)
  await work.calls(times(4, 5))
  assert.equal(work.pace.count, 400)
})

test('takes as many while most calls are held up by others', async () => {
  const work = new Work()
  await work.calls(times(8, 5))
  await work.calls([50, 5, 30, 80, 25, 5, 90, 50, 40, 5, 30, 5, 60])
  assert.equal(work.pace.count, 400)
})

test('follows entries that become dearer, or cheaper', async () => {
  const work = new Work()
  await work.calls(times(10, 5))
  await work.calls(times(9, 20))
  assert.equal(work.pace.count, 100)
  await work.calls(times(4, 4))
  assert.equal(work.pace.count, 500)
})

test('never leaves its bounds', async () => {
  const [dear, cheap] = [new Work(), new Work()]
  await dear.calls(times(4, 10_000))
  assert.equal(dear.pace.count, 16)
  await cheap.calls(times(4, 0.25))
  assert.equal(cheap.pace.count, most)
})

test('times no call that nobody waited for, and believes no clock that was set back', async () => {
  const work = new Work()
  for (let n = 0; n < 10; n += 1) {
    await work.calls([5])
    await work.rest()
    work.passes(n % 2 === 0 ? 1_000_000 : -3_000_000)
  }
  assert.equal(work.pace.count, 100, 'nothing is known yet')
  await work.calls([5, 5])
  work.passes(-3_000_000)
  await work.calls([5, 5])
  assert.equal(work.pace.count, 400)
})
