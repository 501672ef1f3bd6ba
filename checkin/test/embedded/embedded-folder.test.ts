/** A data folder that cannot be used is told as that, by every command that looks for the embedded server. */
import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, after, describe, test } from 'node:test'
import { runMain } from '../../../testing/processes.ts'
import { openDataFolder } from '../../src/embedded/data-folder.ts'
import { startEmbedded } from '../../src/embedded/embedded-server.ts'
import { runningServer } from '../../src/embedded/running-server.ts'
import { CommandError } from 'millrace-ops/command'

const silent = { info: () => undefined, warn: () => undefined }
const isLinux = process.platform === 'linux'
const isRoot = process.getuid?.() === 0

const refusedFor = (path: string, state: RegExp) => (error: unknown) => {
  assert.ok(error instanceof CommandError, String(error))
  assert.ok(error.message.startsWith(`Cannot use the data folder "${path}": `), error.message)
  assert.match(error.message, state)
  assert.match(error.message, /Set MILLRACE_DATA_DIR to a folder that we may write to$/)
  return true
}

describe('data folder of the embedded server', () => {
  let root = ''
  before(() => (root = mkdtempSync(join(tmpdir(), 'millrace-folder-'))))
  after(() => rmSync(root, { recursive: true }))

  test('is created with all that it is in, for its owner alone', async () => {
    const path = join(root, 'a', 'b', 'c')
    assert.equal((await openDataFolder(path)).path, path)
    for (const folder of [path, join(root, 'a')]) assert.equal(statSync(folder).mode & 0o777, 0o700)
    await Promise.all(Array.from({ length: 20 }, () => openDataFolder(join(root, 'd', 'e', 'f'))))
    symlinkSync(path, join(root, 'link'))
    assert.equal((await openDataFolder(join(root, 'link'))).path, path)
  })

  test('that is a file, or in one, is refused, also where a server is looked for', async () => {
    const file = join(root, 'file')
    writeFileSync(file, '')
    const isFile = /: there is a file of this name\./
    await assert.rejects(startEmbedded(silent, file), refusedFor(file, isFile))
    const isIn = /: it, or what it is in, is a file and no folder\./
    await assert.rejects(runningServer(file), refusedFor(file, isIn))
    for (const path of [join(file, 'x'), join(file, 'x', 'y')]) {
      await assert.rejects(startEmbedded(silent, path), refusedFor(path, isIn))
      await assert.rejects(runningServer(path), refusedFor(path, isIn))
    }
  })

  test('that may not be written to is refused', { skip: isRoot }, async () => {
    const path = join(root, 'locked')
    mkdirSync(path, { mode: 0o500 })
    const state = /: we may not write there\./
    await assert.rejects(startEmbedded(silent, path), refusedFor(path, state))
    await assert.rejects(startEmbedded(silent, join(path, 'x')), refusedFor(join(path, 'x'), state))
    assert.equal(await runningServer(path), undefined)
    chmodSync(path, 0)
    await assert.rejects(runningServer(path), refusedFor(path, state))
  })

  test(
    'in a place that takes no files is refused, and is not tried for ever',
    { skip: !isLinux },
    async () => {
      for (const path of ['/proc', '/proc/x', '/proc/x/y', '/sys/x']) {
        await assert.rejects(
          startEmbedded(silent, path),
          refusedFor(path, /cannot be created|may not|only reads/),
        )
      }
      const env = { MILLRACE_DATA_DIR: '/dev/null/x' }
      const { code, stdout, stderr } = await runMain(['redis'], { env }).exited
      assert.equal(code, 1)
      assert.equal(stdout, '')
      assert.match(stderr, /^error: Cannot use the data folder "\/dev\/null\/x": .*\n$/)
    },
  )
})
