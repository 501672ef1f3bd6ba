/**
 * Fetches the servers and proxies of the tests, Prometheus, and the linter for Lua, without installing them: unpacks Debian's
 * packages, with the libraries that they were built for, into `.cache/servers/NAME/`; what `bin/` holds there starts them. Needs
 * no root and leaves apt's own lists alone. Where one cannot be had it says why and ends with 0: its tests show as not run.
 *
 * `node scripts/servers.mjs [NAME ...]`: default all.
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { debianCodename, sourceOf } from './apt-sources.mjs'

const cache = fileURLToPath(new URL('../.cache/servers', import.meta.url))

/** `suites` are those of Debian; `own` stands for the release of this machine. */
const programs = {
  redis8: { suites: ['trixie'], packages: ['redis-server', 'redis-tools'], shows: 'redis-server' },
  valkey: {
    suites: ['own', 'own-backports'],
    packages: ['valkey-server', 'valkey-tools'],
    shows: 'valkey-server',
  },
  valkey9: { suites: ['sid'], packages: ['valkey-server', 'valkey-tools'], shows: 'valkey-server' },
  nginx: { suites: ['own'], packages: ['nginx'], shows: 'nginx' },
  haproxy: { suites: ['own'], packages: ['haproxy'], shows: 'haproxy' },
  // With promtool.
  prometheus: { suites: ['own'], packages: ['prometheus'], shows: 'prometheus' },
  tmux: { suites: ['own'], packages: ['tmux'], shows: 'tmux' },
  luacheck: {
    suites: ['own'],
    packages: ['lua-check', 'lua-argparse', 'lua-filesystem', 'lua5.1'],
    shows: 'luacheck',
  },
}

class NotAvailable extends Error {}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(programs)
const unknown = names.find((name) => !Object.hasOwn(programs, name))
if (unknown !== undefined) {
  console.error(`Cannot fetch "${unknown}": there are ${Object.keys(programs).join(', ')}`)
  process.exit(2)
}
// Each has an apt of its own, and waits mostly for the mirror.
for (const name of names) ensure(name)

function ensure(name) {
  const work = mkdtempSync(join(tmpdir(), `${name}-`))
  try {
    const isHere = existsSync(join(cache, name, 'bin', programs[name].shows))
    if (!isHere) fetch(name, work)
    const where = isHere ? 'already here' : `unpacked into .cache/servers/${name}/`
    console.log(`${name}: ${where}: ${versionOf(name, join(cache, name))}`)
  } catch (error) {
    if (!(error instanceof NotAvailable)) throw error
    console.log(`${name}: not available here (${error.message}); its tests are not run`)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function fetch(name, work) {
  const { suites, packages } = programs[name]
  const apt = privateApt(work, suites)
  console.log(`${name}: fetching ${packages.join(', ')} ...`)
  run('apt-get', [...apt, 'update'], work)
  // Without a release named, apt would leave backports alone.
  const wanted = packages.map((each) => newest(apt, each, work))
  run('apt-get', [...apt, 'download', ...wanted, ...librariesOf(apt, packages, work)], work)
  const unpacked = join(work, 'unpacked')
  for (const file of readdirSync(work).filter((each) => each.endsWith('.deb'))) {
    run('dpkg', ['-x', file, unpacked], work)
  }
  writeStarters(unpacked)
  versionOf(name, unpacked)
  const target = join(cache, name)
  rmSync(target, { recursive: true, force: true })
  mkdirSync(cache, { recursive: true })
  // `cp` and not a rename: the temporary folder may be on another disk.
  run('cp', ['-r', unpacked, `${target}.new`], work)
  renameSync(`${target}.new`, target)
}

/** `name=version` of the newest one that the suites have. */
function newest(apt, name, work) {
  const lines = run('apt-cache', [...apt, 'madison', name], work)
    .trim()
    .split('\n')
  const version = lines[0]?.split('|')[1]?.trim()
  if (version === undefined || version === '') throw new NotAvailable(`${name} is in none of them`)
  return `${name}=${version}`
}

/** The shared libraries that packages need, and those that these need. */
function librariesOf(apt, packages, work) {
  const only = ['--no-recommends', '--no-suggests', '--no-conflicts', '--no-breaks']
  const depends = (options, of) =>
    run(
      'apt-cache',
      [...apt, 'depends', ...only, '--no-replaces', '--no-enhances', ...options, ...of],
      work,
    )
  const isLibrary = (name) => /^(?:lib(?!pam|c-gconv|c-dev)|zlib)/.test(name)
  const direct = [...depends([], packages).matchAll(/^ +\|?(?:Pre)?Depends: (\S+)/gm)]
  const first = direct.map(([, name]) => name).filter(isLibrary)
  const all = depends(['--recurse'], first).split('\n')
  return [...new Set(all.filter((line) => isLibrary(line)))]
}

/** Writes `bin/`: each program by the loader and the libraries that came with it. Paths are relative, so the folder may move. */
function writeStarters(folder) {
  const files = readdirSync(folder, { recursive: true })
  const loader = files.find((file) => /(?:^|\/)ld-linux[^/]*\.so\.\d+$/.test(file))
  if (loader === undefined) throw new NotAvailable('no loader came with it')
  const libraries = files
    .filter((file) => /\/(?:libc|libssl)\.so\.\d+$/.test(file))
    .map((file) => file.slice(0, file.lastIndexOf('/')))
  const path = [...new Set(libraries)].map((each) => `"$home/${each}"`).join(':')
  mkdirSync(join(folder, 'bin'), { recursive: true })
  for (const file of files.filter((each) => /^usr\/s?bin\/[^/]+$/.test(each))) {
    const starter = join(folder, 'bin', file.slice(file.lastIndexOf('/') + 1))
    const interpreted = isLua(join(folder, file)) ? `"$home/usr/bin/lua5.1" ` : ''
    const lines = [
      '#!/bin/sh',
      `home="\${0%/*}/${relative('bin', '.')}"`,
      ...(interpreted === '' ? [] : luaPaths(files)),
      `exec "$home/${loader}" --library-path ${path} ${interpreted}"$home/${file}" "$@"`,
      '',
    ]
    writeFileSync(starter, lines.join('\n'))
    chmodSync(starter, 0o755)
  }
}

function isLua(file) {
  return statSync(file).isFile() && /^#!.*\blua/.test(readFileSync(file, 'latin1').slice(0, 80))
}

/** Where Lua's own modules are, and those that are libraries. */
function luaPaths(files) {
  const modules = 'usr/share/lua/5.1'
  const libraries = files.find((file) => /^usr\/lib\/[^/]+\/lua\/5\.1$/.test(file))
  return [
    `export LUA_PATH="$home/${modules}/?.lua;$home/${modules}/?/init.lua"`,
    `export LUA_CPATH="$home/${libraries}/?.so"`,
  ]
}

/** Options that keep apt's sources, lists and archives in our temporary folder. */
function privateApt(work, suites) {
  const codename = debianCodename()
  if (codename === undefined) throw new NotAvailable('not a Debian release')
  const named = suites.map((suite) => suite.replace(/^own/, codename))
  const source = sourceOf(codename, named)
  if (source === undefined) throw new NotAvailable(`no apt source of ${codename} main`)
  for (const folder of ['parts', 'lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(work, folder), { recursive: true })
  }
  writeFileSync(join(work, 'parts/suites.sources'), source)
  writeFileSync(join(work, 'status'), '')
  const settings = {
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': join(work, 'parts'),
    'Dir::State::lists': join(work, 'lists'),
    // Nothing is installed, for this apt.
    'Dir::State::status': join(work, 'status'),
    'Dir::Cache': join(work, 'cache'),
    // apt's sandbox user cannot read our temporary folder.
    'APT::Sandbox::User': 'root',
    'APT::Update::Error-Mode': 'any',
    'Acquire::Retries': '2',
    'Acquire::http::Timeout': '20',
    'Acquire::Languages': 'none',
  }
  return ['-q', ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])]
}

function versionOf(name, folder) {
  const { shows } = programs[name]
  const option = { nginx: '-v', haproxy: '-v', tmux: '-V' }[shows] ?? '--version'
  return run(join(folder, 'bin', shows), [option], folder)
    .trim()
    .split('\n')[0]
}

/** Both outputs: nginx says its version on the second. */
function run(command, args, cwd) {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 300_000 })
  if (result.status === 0) return result.stdout || result.stderr
  const said = result.error?.message ?? lastLine(result.stderr)
  throw new NotAvailable(`"${command}" failed: ${said}`)
}

function lastLine(text) {
  return text.trim().split('\n').at(-1) || 'it said nothing'
}
