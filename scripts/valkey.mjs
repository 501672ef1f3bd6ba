/**
 * Fetches Valkey 8 for the tests, without installing it: unpacks Debian's packages into `.cache/valkey/`.
 * Needs no root and leaves apt's own lists alone. Where Valkey cannot be had it says why and ends with 0:
 * a machine without Valkey runs the tests against Redis only.
 */
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const target = fileURLToPath(new URL('../.cache/valkey', import.meta.url))
const server = join(target, 'usr/bin/valkey-server')
const packages = ['valkey-server', 'valkey-tools']

class NotAvailable extends Error {}

const work = mkdtempSync(join(tmpdir(), 'valkey-'))
try {
  if (existsSync(server)) {
    console.log(`Valkey: already here: ${versionOf(server)}`)
  } else {
    fetchValkey()
    console.log(`Valkey: unpacked into .cache/valkey/: ${versionOf(server)}`)
  }
} catch (error) {
  if (!(error instanceof NotAvailable)) throw error
  console.log(`Valkey: not available here (${error.message}); its tests are not run`)
} finally {
  rmSync(work, { recursive: true, force: true })
}

function fetchValkey() {
  const codename = debianCodename()
  const sources = backportsSources(codename)
  console.log(`Valkey: fetching ${packages.join(' and ')} from ${codename}-backports ...`)
  const options = privateApt(sources)
  run('apt-get', [...options, 'update'])
  run('apt-get', [...options, 'download', ...packages])
  const unpacked = join(work, 'unpacked')
  for (const file of readdirSync(work).filter((name) => name.endsWith('.deb'))) {
    run('dpkg', ['-x', file, unpacked])
  }
  versionOf(join(unpacked, 'usr/bin/valkey-server'))
  rmSync(target, { recursive: true, force: true })
  mkdirSync(join(target, '..'), { recursive: true })
  // `cp` and not a rename: the temporary folder may be on another disk.
  run('cp', ['-r', unpacked, `${target}.new`])
  renameSync(`${target}.new`, target)
}

function debianCodename() {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  const codename = /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1]
  if (!/^ID=debian$/m.test(release) || codename === undefined) {
    throw new NotAvailable('not a Debian release')
  }
  return codename
}

/** The machine's own mirror of the release, as an apt source of its backports in the deb822 format. */
function backportsSources(codename) {
  const mirror = allStanzas().find(
    ({ types, suites, components, isEnabled }) =>
      isEnabled &&
      types.includes('deb') &&
      suites.includes(codename) &&
      components.includes('main'),
  )
  if (mirror === undefined) throw new NotAvailable(`no apt source of ${codename} main`)
  return [
    'Types: deb',
    `URIs: ${mirror.uris}`,
    `Suites: ${codename}-backports`,
    'Components: main',
    ...mirror.options,
    '',
  ].join('\n')
}

function allStanzas() {
  const parts = '/etc/apt/sources.list.d'
  const files = existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : []
  return ['/etc/apt/sources.list', ...files].flatMap((file) => {
    if (!existsSync(file)) return []
    if (file.endsWith('.list')) return oneLineStanzas(readFileSync(file, 'utf8'))
    return file.endsWith('.sources') ? deb822Stanzas(readFileSync(file, 'utf8')) : []
  })
}

/** `deb [signed-by=... arch=...] URI SUITE COMPONENT...` */
function oneLineStanzas(text) {
  const line = /^\s*(deb)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#\n]+)/gm
  return [...text.matchAll(line)].map(([, type, options = '', uri, suite, components]) => ({
    isEnabled: true,
    types: [type],
    uris: uri,
    suites: [suite],
    components: components.trim().split(/\s+/),
    options: [...options.matchAll(/(signed-by|trusted)=(\S+)/gi)].map(
      ([, name, value]) => `${name}: ${value.replaceAll(',', ' ')}`,
    ),
  }))
}

/** Stanzas of `Name: value` lines; a line that begins with a space continues the one before. */
function deb822Stanzas(text) {
  const stanzas = text.replaceAll(/^#.*\n?/gm, '').split(/\n\s*\n/)
  return stanzas.map((stanza) => {
    const fields = stanza.split(/\n(?=\S)/).map((field) => field.trim())
    const value = (name) =>
      fields.find((field) => field.toLowerCase().startsWith(`${name}:`))?.slice(name.length + 1)
    const words = (name) => (value(name) ?? '').split(/\s+/).filter(Boolean)
    return {
      isEnabled: value('enabled')?.trim().toLowerCase() !== 'no',
      types: words('types'),
      uris: words('uris').join(' '),
      suites: words('suites'),
      components: words('components'),
      options: fields.filter((field) => /^(?:signed-by|trusted):/i.test(field)),
    }
  })
}

/** Options that keep apt's sources, lists and archives in our temporary folder. */
function privateApt(sources) {
  for (const folder of ['parts', 'lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(work, folder), { recursive: true })
  }
  writeFileSync(join(work, 'parts/backports.sources'), sources)
  const settings = {
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': join(work, 'parts'),
    'Dir::State::lists': join(work, 'lists'),
    'Dir::Cache': join(work, 'cache'),
    // apt's sandbox user cannot read our temporary folder.
    'APT::Sandbox::User': 'root',
    'APT::Update::Error-Mode': 'any',
    'Acquire::Retries': '2',
    'Acquire::http::Timeout': '20',
  }
  return ['-q', ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])]
}

function versionOf(file) {
  return run(file, ['--version']).trim()
}

function run(command, args) {
  const result = spawnSync(command, args, { cwd: work, encoding: 'utf8', timeout: 180_000 })
  if (result.status === 0) return result.stdout
  const said = result.error?.message ?? lastLine(result.stderr)
  throw new NotAvailable(`"${command}" failed: ${said}`)
}

function lastLine(text) {
  return text.trim().split('\n').at(-1) || 'it said nothing'
}
