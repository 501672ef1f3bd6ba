/**
 * Sets up a fresh machine that has Node and npm: the packages of this repository, and a redis-server by the
 * system's package manager when there is none. Needs no answer; ends with 1 and the command to run by hand
 * when it cannot. `--with-servers`, or CI: fetches the other servers of the tests, too.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { flagsTakenByNpm } from './flags-taken-by-npm.mjs'
import { onPath } from './on-path.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const servers = ['redis-server', 'valkey-server']
const browsers = ['chromium', 'chromium-headless-shell', 'google-chrome']

/** How each package manager gets a server; `names` are tried in turn, as distributions moved from Redis to Valkey. */
const managers = [
  {
    command: 'apt-get',
    names: ['redis-server'],
    refresh: ['update'],
    install: ['install', '-y', '--no-install-recommends'],
    needsRoot: true,
  },
  { command: 'dnf', names: ['redis', 'valkey'], install: ['install', '-y'], needsRoot: true },
  { command: 'apk', names: ['redis', 'valkey'], install: ['add', '--no-cache'], needsRoot: true },
  { command: 'brew', names: ['redis'], install: ['install'], needsRoot: false },
]

const usage = `npm run setup [-- --with-servers]

Sets up this repository: npm packages, and a redis-server when there is none.
  --with-servers  fetches Redis 8, Valkey 8 and 9, nginx, haproxy and Prometheus, too, for the tests, and luacheck and chromium (Debian)`

const args = process.argv.slice(2)
if (args.includes('--help')) {
  console.log(usage)
  process.exit(0)
}
const [taken] = flagsTakenByNpm('setup', /^with/)
if (taken !== undefined) {
  console.error(
    `setup: npm took ${taken} for itself. Put "--" before it: npm run setup -- --with-servers`,
  )
  process.exit(2)
}
const unknown = args.find((argument) => argument !== '--with-servers')
if (unknown !== undefined) {
  console.error(`setup: Cannot use "${unknown}": there are --with-servers and --help`)
  process.exit(2)
}

try {
  checkNode()
  installPackages()
  buildPage()
  ensureServer()
  if (process.argv.includes('--with-servers') || process.env.CI) {
    run(process.execPath, [fileURLToPath(new URL('servers.mjs', import.meta.url))])
    ensureBrowser()
  }
  say('done. "npm start" runs the whole service, "npm test" all tests.')
} catch (error) {
  console.error(`setup: ${error.message}`)
  process.exitCode = 1
}

function checkNode() {
  const major = Number(process.versions.node.split('.')[0])
  if (major >= 20) return
  throw new Error(`Cannot use Node ${process.versions.node}: Node 20 or newer is needed`)
}

function installPackages() {
  const action = existsSync(`${root}package-lock.json`) ? 'ci' : 'install'
  say(`installing the npm packages of this repository (npm ${action}) ...`)
  // None of them needs a script of its own at the installation.
  const isDone = runNpm([action, '--ignore-scripts'])
  if (!isDone) throw new Error(`Cannot install the npm packages: "npm ${action}" failed, see above`)
}

/** What runs from its sources needs no build but this: a browser takes no TypeScript. */
function buildPage() {
  say('building the page of the console ...')
  if (runNpm(['run', '--silent', 'build:page'])) return
  say('note: the page of the console could not be built, see above; all else works without it')
}

function runNpm(args) {
  const npm = process.env.npm_execpath
  return npm === undefined ? run('npm', args) : run(process.execPath, [npm, ...args])
}

function ensureServer() {
  const found = servers.find((name) => onPath(name) !== undefined)
  if (found !== undefined) {
    say(`${found} is here: ${onPath(found)}`)
    return
  }
  const manager = managers.find(({ command }) => onPath(command) !== undefined)
  if (manager === undefined) {
    throw new Error(
      'Cannot install a redis-server: none of apt-get, dnf, apk and brew is on the PATH. ' +
        'Install Redis 7 (or Valkey 8) or newer by hand, so that redis-server or valkey-server is on the PATH',
    )
  }
  installServer(manager)
}

/**
 * For the tests of the console's page: Debian's chromium without a window, about 65 MB. Installed, not unpacked beside the servers:
 * it starts itself again under its own name, which the loader of an unpacked program would hide.
 */
function ensureBrowser() {
  const found = browsers.find((name) => onPath(name) !== undefined)
  if (found !== undefined) {
    say(`${found} is here: ${onPath(found)}`)
    return
  }
  const note = 'note: no chromium here; the tests of the page of the console are not run'
  if (onPath('apt-get') === undefined) {
    say(note)
    return
  }
  const [manager] = managers
  const prefix = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  const noQuestions = ['env', 'DEBIAN_FRONTEND=noninteractive']
  const call = (args) => run(...split([...prefix, ...noQuestions, manager.command, ...args]))
  say('no chromium found; installing chromium-headless-shell for the tests of the console ...')
  const startedAt = Date.now()
  call(manager.refresh)
  const isDone = call([...manager.install, 'chromium-headless-shell'])
  const seconds = Math.round((Date.now() - startedAt) / 1000)
  say(isDone ? `chromium-headless-shell is installed, in ${seconds} s` : note)
}

function installServer({ command, names, refresh, install, needsRoot }) {
  const isRoot = !needsRoot || process.getuid?.() === 0
  const prefix = isRoot ? [] : ['sudo', '-n']
  const noQuestions = command === 'apt-get' ? ['env', 'DEBIAN_FRONTEND=noninteractive'] : []
  const call = (args) => run(...split([...prefix, ...noQuestions, command, ...args]))
  say(`no redis-server found; installing one with ${[...prefix, command].join(' ')} ...`)
  // A failed refresh is no failure yet: the lists at hand may do.
  if (refresh !== undefined) call(refresh)
  const installed = names.find((name) => call([...install, name]))
  const server = servers.find((name) => onPath(name) !== undefined)
  if (installed === undefined || server === undefined) {
    const sudo = needsRoot ? 'sudo ' : ''
    const byHand = `${sudo}${[command, ...install, names[0]].join(' ')}`
    throw new Error(
      `Cannot install a redis-server: ${command} ${installed === undefined ? 'failed, see above' : 'brought none to the PATH'}. ` +
        `Run this by hand: ${refresh === undefined ? '' : `${sudo}${command} ${refresh[0]} && `}${byHand}`,
    )
  }
  say(`${server} is installed: ${onPath(server)}`)
  stopService(prefix)
}

/** Debian starts a service on port 6379 with the package; this repository starts servers of its own. */
function stopService(prefix) {
  if (!existsSync('/run/systemd/system')) return
  const unit = ['redis-server', 'redis', 'valkey-server', 'valkey'].find(
    (name) => spawnSync('systemctl', ['is-active', '--quiet', name]).status === 0,
  )
  if (unit === undefined) return
  const isStopped = run(...split([...prefix, 'systemctl', 'disable', '--now', unit]))
  say(
    isStopped
      ? `stopped and disabled the system service "${unit}" that came with the package: it is not needed here`
      : `note: the system service "${unit}" came with the package and runs on port 6379; it is not needed here`,
  )
}

function split([command, ...args]) {
  return [command, args]
}

function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (result.error) console.error(`setup: ${result.error.message}`)
  return result.status === 0
}

function say(text) {
  console.log(`setup: ${text}`)
}
