/** Small checkouts of git's, for tests. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { devNull, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'

// A hook of git's runs its commands on its own checkout, and what somebody has configured is not asked for here.
for (const name of Object.keys(process.env)) {
  if (name.startsWith('GIT_')) Reflect.deleteProperty(process.env, name)
}
Object.assign(process.env, { GIT_CONFIG_GLOBAL: devNull, GIT_CONFIG_NOSYSTEM: '1' })

/** For the option `skip` of a test. */
export const withoutGit =
  spawnSync('git', ['--version']).error === undefined ? false : 'not run: no git here'

/** A small checkout in a temporary folder. */
export class Checkout {
  readonly root = mkdtempSync(join(tmpdir(), 'millrace-changed-'))

  git(...args: string[]): string {
    const settings = ['-c', 'user.name=n', '-c', 'user.email=e', '-c', 'commit.gpgsign=false']
    const { status, stdout, stderr } = spawnSync('git', [...settings, ...args], {
      cwd: this.root,
      encoding: 'utf8',
    })
    assert.equal(status, 0, `git ${args.join(' ')}: ${stderr}`)
    return stdout.trim()
  }

  write(file: string, text = `export const text = '${file} ${Math.random()}'\n`): void {
    mkdirSync(dirname(join(this.root, file)), { recursive: true })
    writeFileSync(join(this.root, file), text)
  }

  commit(files: Readonly<Record<string, string>>): void {
    for (const [file, text] of Object.entries(files)) this.write(file, text)
    this.git('add', '--all')
    this.git('commit', '--quiet', '--message', 'Change')
  }
}

/** On a branch main, with one commit of the files. */
export function checkoutOf(t: TestContext, files: Readonly<Record<string, string>> = {}): Checkout {
  const checkout = new Checkout()
  t.after(() => rmSync(checkout.root, { recursive: true }))
  checkout.git('init', '--quiet', '--initial-branch=main')
  checkout.commit({ '.gitignore': 'dist/\n', ...files })
  return checkout
}
