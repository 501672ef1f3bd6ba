/** `millrace top` in a real terminal, on a real server: keys, sizes, ends, and a server that goes away. */
import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import { startRedis, type TestServer } from '../../../testing/redis-servers.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { Terminal, whyNoTerminal, type TerminalOptions } from '../stage/terminal.ts'

describe('millrace top', { concurrency: false, skip: whyNoTerminal }, () => {
  let server: TestServer

  before(async () => {
    server = await startRedis()
    const redis = await server.client()
    for (let at = 1; at <= 40; at += 1) {
      // What others wrote would clear the screen and move the cursor.
      const city = `東京 \u001B[2J\u001B[H${at}`
      await redis.send('XADD', 'orders', '*', 'item', `book${at}`, 'city', city)
    }
    await redis.send('XGROUP', 'CREATE', 'orders', 'billing', '0')
    await redis.send('XGROUP', 'CREATE', 'orders', '請求書', '$')
    for (const [consumer, count] of [
      ['w-1', '3'],
      ['労働者', '9'],
    ] as const)
      await redis.send(
        'XREADGROUP',
        'GROUP',
        'billing',
        consumer,
        'COUNT',
        count,
        'STREAMS',
        'orders',
        '>',
      )
  })
  after(() => server.stop())

  const small = { columns: 80, rows: 24 }
  const open = (t: TestContext, options: Partial<TerminalOptions> = {}): Terminal =>
    new Terminal(t, ['top', '--redis', server.url, '--every', '200ms'], { ...small, ...options })

  test('opens a group, its consumers, what is pending, an entry, and goes back', async (t) => {
    const terminal = open(t)
    await terminal.sees(/> \S+ +billing/)
    // What waits is late after 2 s.
    const groups = await terminal.sees(/^.*: billing, 2 consumers, 28 waiting/m)
    assert.match(groups, /^millrace top .* at redis:\S+ +live$/m)
    assert.match(groups, /^\[1 groups\] 2 consumers {2}3 pending {2}4 dead letters/m)
    terminal.press('Enter')
    // Who holds the oldest stands first.
    await terminal.sees(/> no-lease +w-1/)
    terminal.press('G')
    await terminal.sees(/> no-lease +労働者/)
    terminal.press('g')
    await terminal.sees(/> no-lease +w-1/)
    terminal.press('Down')
    await terminal.sees(/> no-lease +労働者/)
    terminal.press('Enter')
    // Wide signs take two columns each, and the columns behind them still stand in line.
    const pending = await terminal.sees(/\[3 pending\].*of 労働者 in billing/)
    await terminal.sees(/> \d+-\d+ .* item=book4 city=東京 \\u001b\[2J\\u/)
    assert.match(pending, /^millrace top/)
    terminal.press('Enter')
    const entry = await terminal.sees(/State +pending for 労働者/)
    assert.match(entry, /Delivered +once/)
    assert.match(entry, /^ {2}item {2}book4$/m)
    assert.match(entry, /^ {2}city {2}東京 \\u001b\[2J\\u001b\[H4$/m)
    for (const [key, back] of [
      ['Escape', /\[3 pending\]/],
      ['Escape', /\[2 consumers\]/],
      ['Escape', /\[1 groups\]/],
    ] as const) {
      terminal.press(key)
      await terminal.sees(back)
    }
  })

  test('filters, sorts, pauses and helps', async (t) => {
    const terminal = open(t, { columns: 140, rows: 40 })
    await terminal.sees(/billing/)
    terminal.type('/')
    terminal.type('billx')
    await terminal.sees(/Filter: billx_/)
    await terminal.sees(/No row has these words/)
    terminal.press('BSpace')
    await terminal.sees(/"bill": 1 of 2/)
    // While a filter is typed, its signs are no keys.
    terminal.type('q')
    await terminal.sees(/Filter: billq_/)
    terminal.press('Escape')
    await terminal.sees(/請求書/)
    terminal.type('s')
    terminal.type('s')
    await terminal.sees(/by group/)
    terminal.type('S')
    await terminal.sees(/by group, reversed/)
    terminal.type('3')
    terminal.type('/')
    terminal.type('item:book7')
    await terminal.sees(/"item:book7": 1 of 1/)
    terminal.press('Enter')
    terminal.type(' ')
    await terminal.sees(/paused, [1-9]\d* s old/)
    terminal.type(' ')
    await terminal.sees(/ live$/m)
    terminal.type('?')
    await terminal.sees(/Looking changes nothing/)
    terminal.type('q')
    await terminal.sees(/^code 0$/m)
  })

  test('follows the size of the terminal, and no line is longer', async (t) => {
    const terminal = open(t)
    const narrow = await terminal.sees(/billing/)
    assert.ok(!narrow.includes('CLEAR IN'))
    terminal.resize(140, 40)
    const wide = await terminal.sees(/CLEAR IN/)
    assert.equal(wide.split('\n').filter((line) => line.includes('millrace top')).length, 1)
    await waitFor(() => terminal.screen.split('\n').length === 39, { what: '39 lines' })
    terminal.resize(60, 12)
    await waitFor(() => terminal.screen.split('\n').length <= 11, { what: '11 lines at most' })
    const tiny = await terminal.sees(/^millrace top[^]*q?u?i?t?$/)
    assert.equal(tiny.split('\n').filter((line) => line.includes('millrace top')).length, 1)
    terminal.resize(80, 24)
    await waitFor(() => terminal.screen.split('\n').length === 23, { what: '23 lines' })
  })

  test('says how old its data are while the server is away, and goes on when it is back', async (t) => {
    const own = await startRedis()
    t.after(() => own.stop())
    const redis = await own.client()
    const fill = (): Promise<unknown> =>
      redis.send(
        'EVAL',
        "redis.call('XADD', KEYS[1], '*', 'a', 'b'); return redis.call('XGROUP', 'CREATE', KEYS[1], 'desk', '0')",
        1,
        'visits',
      )
    await fill()
    const terminal = new Terminal(t, ['top', '--redis', own.url, '--every', '200ms'], small)
    await terminal.sees(/ live\n/)
    await own.kill9()
    const away = await terminal.sees(/ stale \d+ s\n/)
    assert.match(away, /desk/)
    assert.doesNotMatch(away, /Nobody works/)
    await own.restart()
    await terminal.sees(/There is no group/)
    await terminal.sees(/ live\n/)
  })

  const unforeseen = 'process.on("SIGUSR2", () => { throw new Error("unforeseen") })'
  const send = async (terminal: Terminal, signal: NodeJS.Signals): Promise<void> => {
    process.kill(await terminal.pidOf('node'), signal)
  }

  for (const [what, end, code] of [
    ['q', (terminal: Terminal) => terminal.type('q'), 'code 0'],
    ['Ctrl-C', (terminal: Terminal) => terminal.press('C-c'), 'code 0'],
    ['SIGTERM', (terminal: Terminal) => send(terminal, 'SIGTERM'), 'code 0'],
    [
      'a failure that nobody foresaw',
      (terminal: Terminal) => send(terminal, 'SIGUSR2'),
      'code [17]',
    ],
  ] as const) {
    test(`leaves the terminal as it was at ${what}`, async (t) => {
      const fails = what.startsWith('a failure')
      const env = fails
        ? { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(unforeseen)}` }
        : {}
      const terminal = open(t, { env })
      await terminal.sees(/billing/)
      assert.deepEqual([terminal.isOther, terminal.hasCursor], [true, false])
      await end(terminal)
      const after = await terminal.sees(new RegExp(`^${code}\\n-?icanon\\n-?echo$`, 'm'))
      assert.match(after, /^icanon\necho$/m)
      assert.deepEqual([terminal.isOther, terminal.hasCursor], [false, true])
      assert.doesNotMatch(after, /millrace top/)
      if (fails) assert.match(after, /Error: unforeseen/)
    })
  }

  test('has colours only where they are wanted, and signs beside them', async (t) => {
    const colour = /\p{Cc}\[[0-9;]*3[0-7]m/u
    const coloured = open(t)
    await coloured.sees(/billing/)
    await waitFor(() => colour.test(coloured.looks), { what: 'colours' })
    const plain = open(t, { env: { NO_COLOR: '1' } })
    await plain.sees(/> \S+ +billing/)
    assert.doesNotMatch(plain.looks, colour)
  })
})
