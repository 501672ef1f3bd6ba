/** npm takes flags that stand before `--` for itself: no command does anything else because of that. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Command, Option } from 'commander'
import { makeNpmFolder, type NpmFolder } from '../../../testing/npm.ts'
import { thisCheckout } from '../../../testing/processes.ts'
import { startRedis, type TestServer } from '../../../testing/redis-servers.ts'
import { callOf as callOfProgram, refuseSwallowed, UsageError } from 'millrace-ops/command'
import { catalogue } from '../../src/cli/catalogue.ts'
import { readConfig } from '../../src/config.ts'
import { wire } from '../../src/wiring.ts'
import { fieldsOf } from '../stage/command-stage.ts'

const { scripts } = JSON.parse(readFileSync(join(thisCheckout, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
}
const ours = Object.entries(scripts).flatMap(([name, script]) =>
  /checkin\/src\/main\.ts|scripts\/moved\.mjs/.test(script) ? [name] : [],
)

async function commandOf(name: string): Promise<Command> {
  const all = Object.values(catalogue).flat()
  const listed = all.find((one) => one.name === name || one.alias === name)
  assert.ok(listed, `${name} is a command`)
  return (await listed.load()).command(wire(readConfig({}, false)))
}

const callOf = (name: string, env: NodeJS.ProcessEnv) => callOfProgram(name, 'checkin', env)

const longOf = ({ long }: Option): string => (long ?? '').replace('--', '')

/** What npm 10 and 11 leave in the environment of the script. */
const leftBy = (script: string, flag: string, value: string) => ({
  npm_lifecycle_event: script,
  [`npm_config_${flag.replaceAll('-', '_')}`]: value,
})

test('no flag of any command or subcommand gets lost in npm', async () => {
  let flags = 0
  for (const name of ours) {
    const command = await commandOf(name)
    for (const option of [command, ...command.commands].flatMap(({ options }) => options)) {
      flags += 1
      const flag = longOf(option)
      for (const value of option.negate ? [''] : ['true', '7']) {
        const env = leftBy(name, option.negate ? flag.replace('no-', '') : flag, value)
        const call = callOf(name, env)
        assert.throws(() => refuseSwallowed(command, { call, args: [], env }), {
          name: 'UsageError',
          message: new RegExp(
            `npm took --${flag} .*Put "--" before the flags: ${call.usage} --${flag}`,
          ),
        })
        // It has arrived all the same, or another script of npm's is meant.
        refuseSwallowed(command, { call, args: [`--${flag}`, '7'], env })
        const other = { ...env, npm_lifecycle_event: 'another' }
        refuseSwallowed(command, { call: callOf(name, other), args: [], env: other })
      }
    }
  }
  assert.ok(flags > 60, `${flags} flags of ${ours.length} commands`)
})

test('a value that npm left among the arguments goes with its flag again', async () => {
  const env = leftBy('checkingroupprocessor', 'work', 'true')
  const command = await commandOf('checkingroupprocessor')
  const call = callOf('checkingroupprocessor', env)
  assert.throws(() => refuseSwallowed(command, { call, args: ['consumer1', 'none'], env }), {
    message: /: npm run checkingroupprocessor consumer1 -- --work none$/,
  })
})

test("what npm's own files set is no flag that somebody typed", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-npmrc-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, '.npmrc')
  const command = await commandOf('trim')
  for (const place of [
    { npm_config_userconfig: file },
    { npm_config_globalconfig: file },
    { npm_config_local_prefix: folder },
  ]) {
    const env = { ...leftBy('trim', 'dry-run', 'true'), ...place }
    const check = () => refuseSwallowed(command, { call: callOf('trim', env), args: [], env })
    writeFileSync(file, 'dry-run-not=true\n')
    assert.throws(check, UsageError)
    writeFileSync(file, 'fund=false\ndry-run = true\n')
    check()
  }
})

test('nor is what they set otherwise, while a flag that they contradict is', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-npmrc-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, '.npmrc')
  const command = await commandOf('load')
  const check = (value: string) => {
    const env = { ...leftBy('load', 'yes', value), npm_config_userconfig: file }
    refuseSwallowed(command, { call: callOf('load', env), args: [], env })
  }
  writeFileSync(file, 'yes=false\n')
  check('')
  assert.throws(() => check('true'), /npm took --yes/)
  writeFileSync(file, 'yes\n')
  check('true')
  assert.throws(() => check(''), /npm took -n/)
})

test('a flag that npm completes, or that is nearly one, is told as the one that is meant', async () => {
  for (const [script, setting, value, told] of [
    ['load', 'replace-registry-host', 'true', /npm took --replace .*: npm run load -- --replace$/],
    ['load', 'replace-registry-host', '--yes', /: npm run load -- --replace --yes$/],
    ['trim', 'dryrun', 'true', /npm took --dryrun .*: npm run trim -- --dry-run$/],
    ['trim', 'keepfor', '7d', /npm took --keepfor .*: npm run trim -- --keep-for 7d$/],
    ['trim', 'yes', '', /npm took -n .*there are: npm run trim -- --help$/],
  ] as const) {
    const env = leftBy(script, setting, value)
    const command = await commandOf(script)
    const check = () => refuseSwallowed(command, { call: callOf(script, env), args: [], env })
    assert.throws(check, { name: 'UsageError', message: told })
  }
})

test("no setting of npm's own is taken for a flag of ours, but for those that are one", async () => {
  const settings = settingsOfNpm()
  assert.ok(settings.length > 100, `${settings.length} settings`)
  for (const name of ours) {
    const command = await commandOf(name)
    const flags = [command, ...command.commands].flatMap(({ options }) => options.map(longOf))
    const settingOf = (flag: string) => {
      const longer = settings.filter((setting) => setting.startsWith(flag))
      // npm completes what is the beginning of one setting alone.
      return longer.length === 1 && !settings.includes(flag) ? longer[0] : flag
    }
    const meant = new Set(flags.map(settingOf))
    for (const setting of settings) {
      const env = leftBy(name, setting, 'true')
      const check = () => refuseSwallowed(command, { call: callOf(name, env), args: [], env })
      if (meant.has(setting)) assert.throws(check, UsageError, `${name}, ${setting}`)
      else assert.doesNotThrow(check)
    }
  }
})

function settingsOfNpm(): string[] {
  const { stdout } = spawnSync('npm', ['config', 'ls', '-l', '--json'], { encoding: 'utf8' })
  return Object.keys(JSON.parse(stdout) as object)
}

describe('npm itself', { concurrency: 2 }, () => {
  let folder: NpmFolder | undefined
  let server: TestServer | undefined
  before(async () => {
    folder = makeNpmFolder()
    server = await startRedis()
  })
  after(async () => {
    folder?.remove()
    await server?.stop()
  })
  const npm = async (...args: string[]) => {
    assert.ok(folder !== undefined && server !== undefined)
    // Settings of whoever runs the tests are none of theirs.
    return await folder.npm(args, { REDIS_URL: server.url, NPM_CONFIG_USERCONFIG: '/dev/null' })
  }

  test('makes no key without an end where it drops --expires without a trace', async () => {
    const { code, stdout, stderr } = await npm(
      'run',
      'api-keys',
      'create',
      'ada',
      '--expires',
      '90d',
    )
    assert.equal(code, 2, stdout)
    assert.match(stderr, /npm run api-keys -- create "ada" --expires 90d, or --expires never/)
    assert.match((await npm('run', 'api-keys')).stdout, /There are no API keys/)
    const ends = async (expires: string) => {
      const args = ['run', '-s', 'api-keys', '--', 'create', 'ada', '--expires', expires, '--json']
      return (JSON.parse((await npm(...args)).stdout) as { expiresAt: string | null }).expiresAt
    }
    assert.equal(await ends('never'), null)
    assert.ok(Date.parse((await ends('90d')) ?? '') > Date.now() + 89 * 86_400_000)
  })

  for (const args of [
    ['run', 'trim', '--dry-run'],
    ['run', 'trim', '--keep', '4000'],
    ['run', 'trim', '--dryrun'],
    ['run', 'load', '--replace', '--yes'],
    ['run', 'load', '-y'],
    ['run', 'load', '--data=no/such/folder'],
    ['run', 'checkingroupprocessor', 'consumer1', '--work', 'none'],
    ['start', '--rate=5'],
    ['run', 'setup', '--with-servers'],
    ['test', '--test-name-pattern=x'],
  ]) {
    test(`npm ${args.join(' ')} changes nothing and says where the flags belong`, async () => {
      const { code, stderr } = await npm(...args)
      assert.equal(code, 2, stderr)
      assert.match(stderr, /npm took --\S+ .*[Pp]ut "--" before (?:it|the flags): npm \S+/)
    })
  }

  test('npm run trim -n trims nothing', async () => {
    const { code, stderr } = await npm('run', 'trim', '-n')
    assert.equal(code, 2, stderr)
    assert.match(stderr, /npm took -n .*npm run trim -- --help/)
  })

  test('npm run trim trims, and behind -- its flags arrive', async () => {
    const redis = await server?.client()
    await redis?.send('XGROUP', 'CREATE', 'ncc:checkins', 'checkinConsumers', '$', 'MKSTREAM')
    for (let id = 1; id <= 3; id += 1)
      await redis?.send('XADD', 'ncc:checkins', `${id}-0`, ...fieldsOf(id))
    await redis?.send('XGROUP', 'SETID', 'ncc:checkins', 'checkinConsumers', '3-0')
    const would = await npm('run', 'trim', '--', '--dry-run', '--keep', '1')
    assert.match(would.stdout, /2 of 3 check-ins would go/, would.stderr)
    // It is a command of npx now, which the script says for one version.
    assert.match(would.stderr, /^npm run trim is now: npx checkin trim$/m)
    assert.doesNotMatch(would.stdout, /is now/)
    // -s is npm's own.
    const did = await npm('run', '-s', 'trim', '--', '--keep', '1')
    assert.match(did.stdout, /trimmed 2 check-ins, 1 stay/, did.stderr)
  })
})
