/** A browser for tests of the console's page. */
import { after, before } from 'node:test'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import axe from 'axe-core'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { chromiumPath } from '../../../testing/browser.ts'

/** Why there can be no test with a browser; false when there can. */
export const whyNoBrowser: string | false =
  chromiumPath() === undefined ? 'no chromium here: npm run setup -- --with-servers' : false

export interface Opened {
  readonly page: Page
  /** What the page has complained of: errors, and what its policy has refused. */
  readonly complaints: string[]
}

export class TestBrowser {
  #browser: Browser | undefined

  /** For use in a `describe`: it starts before its tests and ends after them. */
  constructor() {
    before(async () => {
      const executablePath = chromiumPath() ?? ''
      // Within a container there is no sandbox to be had.
      this.#browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
    })
    after(() => this.#browser?.close())
  }

  /** Opens a page; the size is that of a small laptop unless it is said otherwise. */
  async open(url: string, options: BrowserContextOptions = {}): Promise<Opened> {
    const context = await this.#browser!.newContext({
      viewport: { width: 1280, height: 900 },
      reducedMotion: 'reduce',
      ...options,
    })
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    const complaints: string[] = []
    page.on('pageerror', ({ message }) => complaints.push(message))
    page.on('console', (said) => {
      if (said.type() === 'error') complaints.push(said.text())
    })
    await page.goto(url)
    return { page, complaints }
  }
}

/** What axe finds wrong with a page, each with the element. */
export async function violations(page: Page): Promise<string[]> {
  // Evaluated by the debugger, so that the page's policy stays as strict as it is.
  await page.evaluate(axe.source)
  return await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run: (options: object) => Promise<{ violations: Violation[] }> }
    }
    interface Violation {
      readonly id: string
      readonly nodes: { readonly html: string; readonly failureSummary: string }[]
    }
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
    const { violations } = await axe.run({ runOnly: tags })
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
    )
  })
}

/** How many pixels the page is wider than its window. */
export const overflow = async (page: Page): Promise<number> =>
  await page.evaluate('document.documentElement.scrollWidth - innerWidth')

/** Takes a picture where `MILLRACE_SCREENSHOTS` names a folder for it. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.MILLRACE_SCREENSHOTS
  if (folder === undefined || folder === '') return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`) })
}
