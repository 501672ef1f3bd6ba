/** `completion`: what it prints is tried in the shells themselves. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { runOps } from '../../../testing/processes.ts'

const shells = ['bash', 'zsh', 'fish'] as const

describe('millrace completion', { concurrency: false }, () => {
  const files: Partial<Record<(typeof shells)[number], string>> = {}
  let folder = ''

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'completion-'))
    for (const shell of shells) {
      const { code, stdout, stderr } = await runOps(['completion', shell]).exited
      assert.deepEqual([code, stderr], [0, ''])
      files[shell] = join(folder, shell)
      writeFileSync(join(folder, shell), stdout)
    }
  })
  after(() => rm(folder, { recursive: true }))

  /** What bash offers for the last of the words. */
  function offered(...words: string[]): string[] {
    const typed = words.map((word) => `'${word}'`).join(' ')
    const of = words[0] === 'npx' ? '__complete_of_npx' : '__complete_millrace'
    // Twice: a file of a shell's start may be read again.
    const lines = [
      `source ${files.bash}; source ${files.bash}`,
      `COMP_WORDS=(${typed}); COMP_CWORD=${words.length - 1}; ${of} ${words[0]}`,
      'printf "%s\\n" "${COMPREPLY[@]}"',
    ]
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', lines.join('\n')], {
      encoding: 'utf8',
    })
    assert.equal(stderr, '')
    return stdout.split('\n').filter((line) => line !== '')
  }

  test('bash completes commands, subcommands, flags and values', () => {
    assert.deepEqual(offered('millrace', 'dead'), ['dead-letters'])
    assert.deepEqual(offered('millrace', 'dead-letters', 'p'), ['purge'])
    assert.deepEqual(offered('millrace', 'groups', 'create', '--fr'), ['--from'])
    assert.deepEqual(offered('millrace', 'completion', ''), [...shells])
    assert.deepEqual(offered('millrace', 'dead-letters', 'redrive', '--reason', 'un'), [
      'undecodable',
      'unknown',
    ])
    // bash makes three words of it.
    const reason = ['--reason', '=', 'hand']
    assert.deepEqual(offered('millrace', 'dead-letters', 'redrive', ...reason), ['handler'])
  })

  test('bash takes the value of a flag for no subcommand, and a flag in front for no end', () => {
    assert.deepEqual(offered('millrace', 'groups', '--stream', 'create', 'cr'), ['create'])
    assert.deepEqual(offered('millrace', '--json', 'groups', 'cr'), ['create'])
    assert.deepEqual(offered('millrace', 'groups', '--stream', ''), [])
    assert.deepEqual(offered('millrace', 'orders', ''), offered('millrace', ''))
  })

  test('bash completes what stands behind npx, and leaves other programs to others', () => {
    assert.deepEqual(offered('npx', 'millrace', 'groups', 'cr'), ['create'])
    assert.deepEqual(offered('npx', 'eslint', ''), [])
    const keeps = `complete -F theirs npx; source ${files.bash}; complete -p npx`
    const { stdout } = spawnSync('bash', ['--norc', '-c', keeps], { encoding: 'utf8' })
    assert.equal(stdout, 'complete -F theirs npx\n')
  })

  test('fish completes the same', (t) => {
    const typed = ['millrace groups cr', 'npx millrace dead-letters redrive --reason u']
    const lines = [`source ${files.fish}`, ...typed.map((line) => `complete -C '${line}'`)]
    const stdout = runIn(t, 'fish', ['--no-config', '-c', lines.join('\n')])
    if (stdout === undefined) return
    const words = stdout.trim().split('\n')
    assert.deepEqual(
      words.map((line) => line.split('\t')[0]),
      ['create', 'undecodable', 'unknown'],
    )
  })

  test('zsh can read it', (t) => {
    const lines = `compdef() { print "$@" }; source ${files.zsh}; __complete_millrace_words groups; print -l $found`
    const stdout = runIn(t, 'zsh', ['-f', '-c', lines])
    if (stdout !== undefined) assert.match(stdout, /^create:/m)
  })

  test('another shell is wrong usage', async () => {
    const { code, stderr } = await runOps(['completion', 'ksh']).exited
    assert.equal(code, 2)
    assert.match(stderr, /Allowed choices are bash, zsh, fish/)
  })
})

/** What the shell prints; undefined where it is not installed: then the test is not run. */
function runIn(t: TestContext, shell: string, args: readonly string[]): string | undefined {
  const { error, stdout, stderr } = spawnSync(shell, args, { encoding: 'utf8' })
  if (error !== undefined) {
    t.skip(`${shell} is not installed`)
    return undefined
  }
  assert.equal(stderr, '')
  return stdout
}
