import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { waitFor } from '../../../testing/wait-for.ts'
import type { View } from '../../src/console/wire.ts'
import { ConsoleStage } from '../stage/console-stage.ts'

describe('what the console tells by and by', () => {
  const stage = new ConsoleStage()

  test('asks the server once for ten viewers, and not at all when the last one has gone', async () => {
    const calls = async (): Promise<number> => {
      const told = String(await stage.redis.send('INFO', 'commandstats'))
      return Number(/cmdstat_xinfo\|groups:calls=(\d+)/.exec(told)?.[1] ?? 0)
    }
    await stage.fill()
    const end = new AbortController()
    const viewers = await Promise.all(Array.from({ length: 10 }, () => viewer(stage, end.signal)))
    const first = await viewers[0]?.next()
    const before = await calls()
    const seen: string[] = []
    for (let at = 0; at < 6; at += 1) seen.push((await viewers[0]?.next())?.id ?? '')
    const looks = number(seen.at(-1)) - number(first?.id)
    // Two streams; while the first event was read another look may have begun.
    const asked = (await calls()) - before
    assert.ok(asked <= 2 * (looks + 2), `${asked} questions in ${looks} looks`)
    end.abort()
    let last = -1
    const standsStill = async (): Promise<boolean> => {
      const before = last
      last = await calls()
      return last === before
    }
    await waitFor(standsStill, { what: 'no more questions', everyMs: 600 })
  })

  test('goes on after a broken line with what the page has not seen', async () => {
    await stage.fill()
    const end = new AbortController()
    const first = await (await viewer(stage, end.signal)).next()
    const again = await viewer(stage, end.signal, { 'last-event-id': first.id })
    const next = await again.next()
    assert.notEqual(next.id, first.id)
    assert.ok(next.view.groups.length > 0)
    end.abort()
  })
})

const number = (id: string | undefined): number => Number(id?.split('-')[1])

interface Seen {
  readonly id: string
  readonly view: View
}

/** Reads server-sent events. */
async function viewer(
  stage: ConsoleStage,
  signal: AbortSignal,
  headers: Record<string, string> = {},
): Promise<{ next: () => Promise<Seen> }> {
  const response = await fetch(`${stage.url}/api/events`, { signal, headers })
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const next = async (): Promise<Seen> => {
    for (;;) {
      const found = /event: snapshot\nid: (\S+)\ndata: (.*)\n\n/.exec(text)
      if (found !== null) {
        text = text.slice(found.index + found[0].length)
        return { id: found[1] ?? '', view: JSON.parse(found[2] ?? '') as View }
      }
      const { value, done } = await reader.read()
      if (done) throw new Error(`The line ended after ${JSON.stringify(text)}`)
      text += value
    }
  }
  return { next }
}
