import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { runScript } from '../../../testing/processes.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { ConsoleStage, hostile, orders } from '../stage/console-stage.ts'
import {
  overflow,
  picture,
  TestBrowser,
  violations,
  whyNoBrowser,
} from '../stage/console-browser.ts'

const billing = `stream=${encodeURIComponent(orders.key)}&group=billing`
const mailer = `stream=${encodeURIComponent(orders.key)}&group=mailer`

/** Every page with something to see, by the name of its picture, and what it waits for. */
const shown: readonly (readonly [name: string, path: string, text: string])[] = [
  ['overview', '/', 'Streams and groups'],
  ['group', `/group?${billing}`, 'Last delivered'],
  ['pending', `/group/pending?${mailer}`, 'Looking changes nothing'],
  ['dead-letters', `/group/dead-letters?${billing}`, 'All letters'],
  ['doctor', `/group/doctor?${billing}`, 'Examine again'],
  ['settings', `/group/settings?${billing}`, 'This console'],
  ['streams', '/streams', 'Ever appended'],
  ['stream', `/stream?stream=${encodeURIComponent(orders.key)}`, '10 loaded'],
  ['entry', `/entry?stream=${encodeURIComponent(orders.key)}`, 'Look up'],
  ['missing', '/nothing', 'There is no such page'],
]

test('the page is small: all of it, packed, under 100 kB', () => {
  const folder = fileURLToPath(new URL('../../dist/page/assets/', import.meta.url))
  const sizes = readdirSync(folder).map((name) => gzipSync(readFileSync(folder + name)).length)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  assert.ok(total < 100_000, `${total} bytes`)
})

describe('the page of the console', { skip: whyNoBrowser }, () => {
  const stage = new ConsoleStage({ environment: 'production' })
  const browser = new TestBrowser()

  test('is for everybody: no fault by axe, no complaint, no sideways scroll, nothing run that others wrote', async () => {
    await stage.fill()
    for (const [name, path, text] of shown) {
      const { page, complaints } = await browser.open(stage.url + path)
      await page.getByText(text).first().waitFor()
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        assert.deepEqual(await violations(page), [], `${name}, ${colorScheme}`)
        await picture(page, `${name}-${colorScheme}-1280`)
      }
      for (const width of [390, 320]) {
        await page.setViewportSize({ width, height: 844 })
        // Charts take their new width a moment later.
        const fits = async (): Promise<boolean> => (await overflow(page)) <= 0
        await waitFor(fits, { what: `${name} within ${width} pixels`, timeoutMs: 5000 })
        if (width === 390) await picture(page, `${name}-dark-390`)
      }
      assert.equal(await page.evaluate('window.hurt'), undefined, name)
      assert.equal(await page.locator('main img').count(), 0, name)
      const said = complaints.filter((text) => name !== 'missing' || !text.includes('404'))
      assert.deepEqual(said, [], name)
      await page.context().close()
    }
  })

  test('shows texts of others as texts, also those of the address', async () => {
    await stage.fill()
    const text = encodeURIComponent(hostile)
    const places = [
      `/group/pending?${mailer}&q=consumer:${text}`,
      `/group?stream=${text}&group=${text}`,
      `/stream?stream=${text}`,
      `/entry?stream=${text}&id=1-1`,
    ]
    const { page } = await browser.open(stage.url)
    for (const path of places) {
      await page.goto(stage.url + path)
      await page.locator('main h1').first().waitFor()
      assert.equal(await page.evaluate('window.hurt'), undefined, path)
      assert.equal(await page.locator('main img').count(), 0, path)
    }
    await page.goto(`${stage.url}/group/dead-letters?${billing}`)
    await page.getByText(`loyalty API answered 503 to ${hostile}`).first().waitFor()
    await page.context().close()
  })

  test('opens an entry beside its list, walks on by keys, and says it all in the address', async () => {
    await stage.fill()
    const { page } = await browser.open(`${stage.url}/group/pending?${mailer}`)
    await page.locator('tbody tr a').first().click()
    const first = await page.locator('#h-entry').innerText()
    assert.match(page.url(), new RegExp(`entry=${first}`))
    await page.getByText('Pending in mailer').waitFor()
    await page.keyboard.press('j')
    await waitFor(async () => (await page.locator('#h-entry').innerText()) !== first, {
      what: 'the next entry',
    })
    const address = page.url()
    await page.reload()
    await page.locator('#h-entry').waitFor()
    assert.equal(page.url(), address)
    await page.keyboard.press('Escape')
    await page.locator('#h-entry').waitFor({ state: 'detached' })
    await page.keyboard.press('g')
    await page.keyboard.press('d')
    await page.getByText('No dead letters').first().waitFor()
    assert.equal(await page.evaluate('document.activeElement.id'), 'main')
    await page.locator('body').press('?')
    await page.getByRole('dialog').waitFor()
    assert.deepEqual(await violations(page), [], 'the help')
    await page.context().close()
  })

  test('filters pending entries, and names what it does not know', async () => {
    await stage.fill()
    const { page } = await browser.open(`${stage.url}/group/pending?${mailer}`)
    await page.getByText('Looking changes nothing').waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('consumer:nobody rating:0')
    await page.keyboard.press('Enter')
    await page.getByText('Nothing matches').waitFor()
    await page.getByText('rating:0', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Clear the filter' }).click()
    await page.getByText('4 loaded').waitFor()
    await page.context().close()
  })

  test('finds an entry by its id, and a range by its time', async () => {
    await stage.fill()
    const { page } = await browser.open(`${stage.url}/stream?stream=${orders.key}&order=oldest`)
    const id = await page.locator('tbody tr a').first().innerText()
    await page.goto(`${stage.url}/entry?stream=${orders.key}`)
    await page.getByLabel('Id', { exact: true }).fill(id)
    await page.getByRole('button', { name: 'Look up' }).click()
    await page.getByText('Done in billing').waitFor()
    await page.goto(`${stage.url}/stream?stream=${orders.key}`)
    await page.getByLabel('to', { exact: true }).fill('2001-01-01 00:00 UTC')
    await page.getByRole('button', { name: 'Show', exact: true }).click()
    await page.getByText('No entries here').waitFor()
    await page.context().close()
  })

  test('keeps a hundred thousand pending entries usable', async () => {
    const many = 100_000
    await stage.redis.send('XGROUP', 'CREATE', 'many', 'batch', '0', 'MKSTREAM')
    for (let at = 0; at < many; at += 1000) {
      const some = Array.from({ length: 1000 }, (_, each) =>
        stage.redis.send('XADD', 'many', `${at + each + 1}-0`, 'number', String(at + each)),
      )
      await Promise.all(some)
    }
    const read = ['XREADGROUP', 'GROUP', 'batch', 'one', 'COUNT', String(many)]
    await stage.redis.send(...read, 'STREAMS', 'many', '>')
    const { page, complaints } = await browser.open(
      `${stage.url}/group/pending?stream=many&group=batch`,
    )
    await page.getByText('100,000 pending').waitFor()
    await page.getByRole('button', { name: 'Load more' }).click()
    const box = page.locator('.virtual')
    await box.waitFor()
    await waitFor(
      async () => {
        await box.evaluate('document.querySelector(".virtual").scrollTop = 1e9')
        return (await page.getByText('500 loaded').count()) > 0
      },
      { what: 'five pages', everyMs: 100 },
    )
    const drawn = await page.locator('.virtual tbody tr').count()
    assert.ok(drawn < 80, `${drawn} rows are drawn`)
    assert.deepEqual(complaints, [])
    await page.context().close()
    await stage.redis.send('DEL', 'many')
  })

  test('names a consumer that was killed, within its lease and a second', async () => {
    const process = runScript('ops/test/stage/held-consumer.ts', [stage.server.url])
    await process.waitForLine(/holds/)
    const { page } = await browser.open(`${stage.url}/`)
    await page.getByText('held', { exact: true }).first().waitFor()
    process.kill('SIGKILL')
    await process.exited
    await page.getByText('doomed, whose lease ran out').waitFor({ timeout: 15_000 })
    await picture(page, 'consumer-gone')
    await page.context().close()
    await stage.redis.send('DEL', 'held:stream')
  })

  test('says that Redis is away, and goes on when it is back', async () => {
    await stage.fill()
    const { page } = await browser.open(`${stage.url}/`)
    await page.getByText('Live').waitFor()
    stage.server.pause()
    await page
      .getByText(/Redis does not answer|Stale \d/)
      .first()
      .waitFor()
    await picture(page, 'redis-away')
    stage.server.resume()
    await page.getByText('Live').waitFor()
    await page.locator('.banner').waitFor({ state: 'detached' })
    await page.context().close()
  })

  test('says that the console is away, and goes on when it is back', async () => {
    await stage.fill()
    const { page } = await browser.open(`${stage.url}/`)
    await page.getByText('Live').waitFor()
    const { port } = new URL(stage.url)
    await stage.close()
    await page.getByText('The page lost the console').waitFor()
    await stage.listen(Number(port))
    await page.getByText('Live').waitFor()
    await page.context().close()
  })

  test('stops asking while it is paused', async () => {
    const { page } = await browser.open(`${stage.url}/`)
    await page.getByText('Live').waitFor()
    await page.locator('body').press(' ')
    await page.getByText('Paused').waitFor()
    const before = await snapshotTime(page)
    await page.waitForTimeout(600)
    assert.equal(await snapshotTime(page), before)
    await page.locator('body').press(' ')
    await page.getByText('Live').waitFor()
    await page.context().close()
  })
})

const snapshotTime = async (page: Page): Promise<string> =>
  await page.locator('footer time').innerText()
