/**
 * Writes the help of all commands into docs/reference.md, between `<!-- help of PROGRAM -->` and `<!-- end -->`, and likewise what
 * the doctor may find. It runs what is built. `--check`: ends with 1 when the page says something else.
 */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = `${root}docs/reference.md`
const programs = { millrace: 'ops/dist/main.js', checkin: 'checkin/dist/main.js' }
// Those are the operator's, and stand once.
const leftOut = { millrace: [], checkin: await namesOf('millrace') }

async function helpOf(program, words) {
  const call = [programs[program], ...words, '--help']
  const env = { ...process.env, NO_COLOR: '1', COLUMNS: '80' }
  const { stdout } = await promisify(execFile)(process.execPath, call, { cwd: root, env })
  return stdout.trimEnd()
}

/** The names that a help lists behind its options: each stands at the beginning of a line, before what it does. */
function listedIn(help) {
  const [, listed = ''] = /\n(?:Commands|Run the service|Look at it):\n([^]*)$/.exec(help) ?? []
  return [
    ...listed.matchAll(/^ {2}([a-z][a-z-]*)(?:\|[a-z-]+)?(?: \[[^\]]+\]| <[^>]+>)*(?: {2,}|$)/gm),
  ]
    .map(([, name]) => name)
    .filter((name) => name !== 'help')
}

async function namesOf(program) {
  return listedIn(await helpOf(program, []))
}

/** Its own help, and that of its subcommands. */
async function blocksOf(program, words) {
  const help = await helpOf(program, words)
  const below = words.length === 0 ? [] : listedIn(help)
  const others = await Promise.all(below.map((name) => blocksOf(program, [...words, name])))
  return [`### ${[program, ...words].join(' ')}\n\n\`\`\`text\n${help}\n\`\`\``, ...others.flat()]
}

async function written(program) {
  const names = (await namesOf(program)).filter((name) => !leftOut[program].includes(name))
  const blocks = []
  // One after the other: each starts as many processes as it has subcommands.
  for (const name of names) blocks.push(...(await blocksOf(program, [name])))
  return blocks.join('\n\n')
}

async function foundByDoctor() {
  const { findings } = await import('../ops/dist/doctor/findings.js')
  return Object.entries(findings)
    .map(([about, found]) => {
      const lines = Object.entries(found).map(([check, what]) => `- \`${check}\`: ${what}`)
      return `About ${about}:\n\n${lines.join('\n')}`
    })
    .join('\n\n')
}

const parts = {
  'help of millrace': () => written('millrace'),
  'findings of the doctor': foundByDoctor,
  'help of checkin': () => written('checkin'),
}

const before = readFileSync(page, 'utf8')
let after = before
for (const [name, write] of Object.entries(parts)) {
  const begin = `<!-- ${name} -->`
  const [first, rest = ''] = after.split(begin)
  const end = rest.indexOf('<!-- end -->')
  if (end < 0) throw new Error(`Cannot write ${page}: "${begin}" or its end is not there`)
  after = `${first}${begin}\n\n${await write()}\n\n${rest.slice(end)}`
}
if (!process.argv.includes('--check')) {
  writeFileSync(page, after)
} else if (after !== before) {
  console.error('docs/reference.md is not what the commands say. Write it anew: npm run reference')
  process.exitCode = 1
}
