/** Documents name files and link to pages that are there. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { thisCheckout } from './processes.ts'

const list = ['ls-files', '--cached', '--others', '--exclude-standard']
const tracked = execFileSync('git', list, { cwd: thisCheckout, encoding: 'utf8' }).split('\n')
const files = tracked.filter((file) => file !== '' && existsSync(join(thisCheckout, file)))
const documents = files.filter((file) => file.endsWith('.md'))
const textOf = (file: string): string => readFileSync(join(thisCheckout, file), 'utf8')

/** A heading as GitHub makes an anchor of it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

function anchorsOf(file: string): string[] {
  const headings = textOf(file).matchAll(/^#+ +(.+)$/gm)
  return [...headings].map(([, heading = '']) => anchorOf(heading))
}

test('each link between pages leads to a page, and to a heading of it', () => {
  const broken = documents.flatMap((file) => {
    const text = textOf(file).replaceAll(/```[^]*?```/g, '')
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
    return links
      .filter((link) => {
        if (/^[a-z]+:/.test(link)) return false
        const [path = '', anchor] = link.split('#')
        const target = path === '' ? file : join(dirname(file), path)
        if (!existsSync(join(thisCheckout, target))) return true
        return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor)
      })
      .map((link) => `${file}: ${link}`)
  })
  assert.deepEqual(broken, [])
})

test('each file that a page names is there', () => {
  const pages = documents.filter((file) => !/CHANGELOG|docs\/decisions\//.test(file))
  const missing = pages.flatMap((page) => {
    const names = [...textOf(page).matchAll(/`([\w./-]+\.(?:ts|mjs|lua))`/g)]
    return names
      .map(([, name = '']) => name)
      .filter((name) => !files.some((file) => file === name || file.endsWith(`/${name}`)))
      .map((name) => `${page}: ${name}`)
  })
  assert.deepEqual(missing, [])
})
