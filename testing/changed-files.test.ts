import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { changedFiles } from './changed-files.ts'
import { checkoutOf, withoutGit } from './checkouts.ts'

test(
  'changed are what is edited, staged, new, gone and moved, and not what git ignores',
  { skip: withoutGit },
  (t) => {
    const checkout = checkoutOf(t, {
      'a/edited.ts': '1',
      'a/staged.ts': '1',
      'a/gone.ts': '1',
      'a/old name.ts': 'a text that is found again',
      'a/same.ts': '1',
    })
    checkout.write('a/edited.ts')
    checkout.write('a/staged.ts')
    checkout.git('add', 'a/staged.ts')
    checkout.write('a/é new.ts')
    checkout.write('dist/built.js')
    rmSync(join(checkout.root, 'a/gone.ts'))
    // As git sees a move: one file with two names.
    checkout.git('mv', 'a/old name.ts', 'a/moved.ts')
    assert.deepEqual(changedFiles(checkout.root), {
      since: 'HEAD',
      files: [
        'a/edited.ts',
        'a/gone.ts',
        'a/moved.ts',
        'a/old name.ts',
        'a/staged.ts',
        'a/é new.ts',
      ],
    })
  },
)

test(
  'a clean branch is compared with where it left main, and main with nothing',
  { skip: withoutGit },
  (t) => {
    const checkout = checkoutOf(t, { 'a.ts': '1', 'b.ts': '1', 'c.ts': '1' })
    assert.deepEqual(changedFiles(checkout.root), { since: 'HEAD', files: [] })
    checkout.git('switch', '--quiet', '--create', 'topic')
    checkout.commit({ 'a.ts': '2' })
    checkout.git('switch', '--quiet', 'main')
    checkout.commit({ 'b.ts': '2' })
    checkout.git('switch', '--quiet', 'topic')
    const sinceMain = { since: 'where HEAD left main', files: ['a.ts'] }
    assert.deepEqual(changedFiles(checkout.root), sinceMain)
    assert.deepEqual(changedFiles(checkout.root, 'main'), sinceMain)
    checkout.write('c.ts')
    assert.deepEqual(changedFiles(checkout.root), { since: 'HEAD', files: ['c.ts'] })
    assert.deepEqual(changedFiles(checkout.root, 'main').files, ['a.ts', 'c.ts'])
    assert.deepEqual(changedFiles(checkout.root, 'HEAD~1'), {
      since: 'HEAD~1',
      files: ['a.ts', 'c.ts'],
    })
  },
)

test(
  'a commit that git does not know is refused, and is never an option of git',
  { skip: withoutGit },
  (t) => {
    const { root } = checkoutOf(t)
    assert.throws(() => changedFiles(root, 'nobody'), /git knows no commit "nobody"/)
    assert.throws(() => changedFiles(root, '--all'), /git knows no commit "--all"/)
  },
)
