/**
 * What users get: the packed engine, installed alone and in bundles, the operator's commands, and the service without its development dependencies.
 * Needs the npm registry; run by `npm run test:package`.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { publint } from 'publint'
import { startRedis } from '../testing/redis-servers.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const example = join(root, 'engine/examples/visits.mjs')
const requireForEsm =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"
const scratch = mkdtempSync(join(tmpdir(), 'millrace-package-'))
/** A folder that knows nothing of this checkout. */
const installed = join(scratch, 'installed')

let server
before(async () => {
  server = await startRedis()
  mkdirSync(installed)
  for (const workspace of ['engine', 'ops']) {
    npm(join(root, workspace), ['pack', '--pack-destination', scratch])
  }
  npm(installed, ['init', '--yes'])
  npm(installed, ['install', '--ignore-scripts', tarball('millrace'), 'redis'])
})
after(async () => {
  await server?.stop()
  rmSync(scratch, { recursive: true, force: true })
})

describe('the packed engine', () => {
  test('holds what its README names, and says where it comes from', () => {
    const folder = join(installed, 'node_modules/millrace')
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    for (const field of ['repository', 'homepage', 'bugs', 'license'])
      assert.ok(manifest[field], field)
    const files = readdirSync(folder, { recursive: true })
    const named = readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/docs\/[a-z-]+\.md/g)
    for (const [name] of named) assert.ok(files.includes(name), `${name} is not in the package`)
    for (const name of files.filter((file) => file.endsWith('.js.map'))) {
      const { sourcesContent } = JSON.parse(readFileSync(join(folder, name), 'utf8'))
      assert.equal(sourcesContent?.length, 1, `${name} has no sources`)
    }
  })

  test('is published in order', async () => {
    const { messages } = await publint({ pkgDir: join(root, 'engine'), strict: true })
    assert.deepEqual(messages, [])
  })

  test('runs the example of the README, installed alone', async () => {
    const copy = join(installed, 'visits.mjs')
    cpSync(example, copy)
    await runsExample(process.execPath, [copy])
  })

  test('traces only where OpenTelemetry is installed beside it', async () => {
    const place = join(scratch, 'traced')
    mkdirSync(place)
    npm(place, ['init', '--yes'])
    npm(place, ['install', '--ignore-scripts', tarball('millrace'), 'redis'])
    const { peerDependencies, peerDependenciesMeta } = JSON.parse(
      readFileSync(join(place, 'node_modules/millrace/package.json'), 'utf8'),
    )
    const [peer] = Object.keys(peerDependenciesMeta)
    assert.equal(peer, '@opentelemetry/api')
    const traced = `
      const { connect } = await import('millrace')
      const { tracing } = await import('millrace/otel')
      const millrace = await connect({ url: process.env.REDIS_URL, tracing: tracing() })
      await millrace.close()
      console.log('closed')`
    const run = () => runOf(place, ['--input-type=module', '--eval', traced])
    const without = await run()
    assert.equal(without.code, 1)
    assert.match(
      without.said,
      /ERR_MODULE_NOT_FOUND[^]*@opentelemetry\/api|@opentelemetry\/api[^]*ERR_MODULE_NOT_FOUND/,
    )
    npm(place, ['install', '--ignore-scripts', `${peer}@${peerDependencies[peer]}`])
    assert.deepEqual(await run(), { code: 0, said: 'closed\n' })
  })

  for (const format of ['esm', 'cjs']) {
    test(`runs in a bundle by esbuild, ${format}`, async () => {
      const outfile = join(
        scratch,
        `esbuild-${format}`,
        `bundle.${format === 'esm' ? 'mjs' : 'cjs'}`,
      )
      const isEsm = format === 'esm'
      await build({
        // CommonJS cannot wait at its top level, as the example does.
        ...(isEsm
          ? { entryPoints: [join(installed, 'visits.mjs')] }
          : { stdin: withoutTopLevelAwait() }),
        bundle: true,
        platform: 'node',
        format,
        outfile,
        logLevel: 'silent',
        // The Redis client is CommonJS and requires node's modules; esbuild asks for this in ESM.
        banner: isEsm ? { js: requireForEsm } : {},
      })
      await runsExample(process.execPath, [outfile])
    })
  }

  test('runs in a program compiled by bun', async () => {
    const place = join(scratch, 'bun')
    mkdirSync(place)
    npm(place, ['init', '--yes'])
    npm(place, ['install', 'bun@1.4.5'])
    const bun = join(place, 'node_modules/.bin/bun')
    const program = join(place, 'program')
    const options = ['build', join(installed, 'visits.mjs'), '--compile', '--outfile', program]
    execFileSync(bun, options, { cwd: installed, stdio: 'ignore' })
    await runsExample(program, [])
  })
})

describe('the packed commands of operators', () => {
  const alone = join(scratch, 'ops')
  before(() => {
    mkdirSync(alone)
    npm(alone, ['init', '--yes'])
    npm(alone, ['install', '--ignore-scripts', tarball('millrace'), tarball('millrace-ops')])
  })

  test('hold what their README names, and are published in order', async () => {
    const folder = join(alone, 'node_modules/millrace-ops')
    const files = readdirSync(folder, { recursive: true })
    const readme = readFileSync(join(folder, 'README.md'), 'utf8')
    const named = readme.matchAll(/docs\/[a-z-]+\.md|grafana\/[a-z]+\.json|\balerts\.yml/g)
    for (const [name] of named) assert.ok(files.includes(name), `${name} is not in the package`)
    const { messages } = await publint({ pkgDir: join(root, 'ops'), strict: true })
    assert.deepEqual(messages, [])
  })

  test('look at a stream of others, with nothing but the engine beside them', async () => {
    const client = await server.client()
    await client.send('XADD', 'packed', '1-0', 'item', 'book')
    await client.send('XGROUP', 'CREATE', 'packed', 'billing', '0')
    const env = { ...process.env, REDIS_URL: server.url }
    const millrace = (...args) =>
      execFileSync('npx', ['--no-install', 'millrace', ...args], {
        cwd: alone,
        env,
        encoding: 'utf8',
      })
    const { streams } = JSON.parse(millrace('groups', '--json'))
    assert.deepEqual(
      streams.map(({ stream, groups }) => [stream, groups.map(({ name, lag }) => [name, lag])]),
      [['packed', [['billing', 1]]]],
    )
    assert.match(millrace('groups', '--stream', 'packed'), /^billing +1 /m)
    await client.send('DEL', 'packed')
    assert.ok(!readdirSync(join(alone, 'node_modules')).includes('checkin'))
  })
})

test('the service runs from its build alone', async (t) => {
  const checkout = join(scratch, 'checkout')
  copyCheckout(checkout)
  npm(checkout, ['ci'])
  npm(checkout, ['run', 'build'])
  npm(checkout, ['prune', '--omit=dev', '--omit=optional'])
  const checkin = join(checkout, 'node_modules/.bin/checkin')
  const env = { ...process.env, REDIS_URL: server.url, KEY_PREFIX: 'built', LOG_FORMAT: 'json' }

  const receiver = spawn(checkin, ['receiver', '--port', '0'], { cwd: checkout, env })
  t.after(() => receiver.kill('SIGKILL'))
  const url = await firstMatch(receiver.stdout, /http:\/\/127\.0\.0\.1:\d+/)
  const response = await fetch(`${url}/api/checkin`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ userId: 789, locationId: 171, starRating: 4 }),
  })
  assert.equal(response.status, 202)
  const command = (...args) => execFileSync(checkin, args, { cwd: checkout, env, encoding: 'utf8' })
  command('groups', 'create')
  command('group-processor', 'consumer1', '--drain')
  const [group] = JSON.parse(command('groups', '--json')).groups
  assert.equal(group.pending, 0)
  const client = await server.client()
  assert.equal((await client.hash('built:users:789')).numCheckins, '1')
  receiver.kill('SIGTERM')
  assert.deepEqual(await once(receiver, 'exit'), [0, null])
  // Traces alone need what may be left out.
  const tracing = ['group-processor', 'consumer1', '--drain', '--otlp', 'http://127.0.0.1:9']
  const { status, stdout, stderr } = spawnSync(checkin, tracing, {
    cwd: checkout,
    env,
    encoding: 'utf8',
  })
  assert.notEqual(status, 0)
  assert.match(stdout + stderr, /the libraries of OpenTelemetry are not installed/)
})

/** The packed workspace of a package's name. */
function tarball(name) {
  const found = readdirSync(scratch).find((file) => new RegExp(`^${name}-\\d.*\\.tgz$`).test(file))
  return join(scratch, found)
}

function withoutTopLevelAwait() {
  const text = readFileSync(example, 'utf8')
  const statement = /^import [^;]*? from '[^'\n]*'$/gm
  const imports = text.match(statement).join('\n')
  const body = text.replaceAll(statement, '')
  const main = `${imports}\nmain()\nasync function main() {\n${body}\n}\n`
  return { contents: main, resolveDir: installed, loader: 'js' }
}

/** Fails unless the program ends with 0 and prints what the example is about. */
async function runsExample(command, args) {
  const env = { ...process.env, REDIS_URL: server.url }
  const run = spawn(command, args, { cwd: dirname(args[0] ?? command), env })
  let said = ''
  for (const stream of [run.stdout, run.stderr]) stream.on('data', (chunk) => (said += chunk))
  const [code] = await once(run, 'close')
  assert.equal(code, 0, said)
  assert.match(said, /averageStars: \S5/)
  const client = await server.client()
  assert.deepEqual(await client.send('KEYS', 'example:*'), [], 'it leaves keys behind')
}

/** How a program of Node ends, and what it says. */
async function runOf(cwd, args) {
  const run = spawn(process.execPath, args, { cwd, env: { ...process.env, REDIS_URL: server.url } })
  let said = ''
  for (const stream of [run.stdout, run.stderr]) stream.on('data', (chunk) => (said += chunk))
  const [code] = await once(run, 'close')
  return { code, said }
}

/** The files of this checkout that git knows or would take: what a clone has. */
function copyCheckout(to) {
  const options = ['ls-files', '--cached', '--others', '--exclude-standard', '-z']
  const files = execFileSync('git', options, { cwd: root, encoding: 'utf8' }).split('\0')
  for (const file of files.filter(Boolean)) cpSync(join(root, file), join(to, file))
}

async function firstMatch(stream, pattern) {
  for await (const line of createInterface({ input: stream })) {
    const [found] = pattern.exec(line) ?? []
    if (found !== undefined) return found
  }
  throw new Error('The receiver ended without saying where it listens')
}

function npm(cwd, args) {
  const file = process.env.npm_execpath
  const [command, first] = file === undefined ? ['npm', []] : [process.execPath, [file]]
  // Variables of the npm that runs this would lead its child to this checkout.
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:npm_|INIT_CWD)/i.test(name))
  execFileSync(command, [...first, ...args], {
    cwd,
    env: { ...Object.fromEntries(kept), npm_execpath: file },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}
