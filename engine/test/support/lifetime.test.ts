/** What runs on a connection is ended before the connection, and what has ended is left alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lifetime, Runs } from '../../src/support/lifetime.ts'

class Watched extends Lifetime {
  stops = 0

  override stop(): Promise<void> {
    this.stops += 1
    this.end()
    return Promise.resolve()
  }
}

test('closing stops what runs, and holds nothing that has ended', async () => {
  const runs = new Runs()
  const over = new Watched('Reader "a"', runs)
  await over.run(() => Promise.resolve())
  const running = new Watched('Reader "b"', runs)
  const ended = running.run(
    () => new Promise((resolve) => running.signal.addEventListener('abort', () => resolve())),
  )
  await runs.close({})
  await ended
  assert.deepEqual([over.stops, running.stops], [0, 1])
  await assert.rejects(
    new Lifetime('Reader "c"', runs).run(() => Promise.resolve()),
    {
      code: 'CLOSED',
      message: /^Cannot run Reader "c": the Millrace is closed/,
    },
  )
})
