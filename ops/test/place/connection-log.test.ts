import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError } from 'millrace'
import { connectionLog } from '../../src/place/connection-log.ts'

test('what lasts is said once, then once a minute, and once when it is over', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const lines: string[] = []
  const add = (text: unknown): void => void lines.push(text as string)
  const log = { debug: add, info: add, warn: add, error: add }
  const told = connectionLog(log)
  told.onRefused(new MillraceError('READ_ONLY', 'READONLY a replica.'))
  t.mock.timers.tick(150_000)
  told.onAccepted()
  told.onDisconnect(new MillraceError('DISCONNECTED', 'gone'))
  t.mock.timers.tick(60_000)
  told.onReconnect()
  t.mock.timers.tick(600_000)
  const rest = 'READONLY a replica. Looking whether its URL leads elsewhere.'
  assert.deepEqual(
    lines.map((line) => line.replace(/after [\d.]+ s/, 'after N s')),
    [
      `Redis refuses all work: ${rest}`,
      `Redis still refuses all work: ${rest}`,
      `Redis still refuses all work: ${rest}`,
      'Redis takes work again, after N s.',
      'Connection to Redis lost: gone. Reconnecting.',
      'Still no connection to Redis: gone. Reconnecting.',
      'Connection to Redis is back, after N s.',
    ],
  )
})
