/** The word for a group, from two looks at it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshPrefix, onEachServer } from '../../../testing/on-each-server.ts'
import { look } from '../../src/snapshot/look/look.ts'
import { snapshotOf } from '../../src/snapshot/snapshot-of.ts'
import { ago, append, create, read } from './acts.ts'

onEachServer('the state of a group', (bench) => {
  test('calls a group that does all as it comes working, and idle once nothing comes', async () => {
    const { redis, millrace } = bench()
    const key = freshPrefix()
    await create(redis, key)
    const asked = { streams: [key] }
    const before = await look(millrace, asked, undefined)
    for (let n = 0; n < 5; n += 1) await append(redis, key)
    await read(redis, key, 5)
    const held = (await redis.send('XPENDING', key, 'g', '-', '+', '5')) as string[][]
    await redis.send('XACK', key, 'g', ...held.map(([id = '']) => id))
    const done = await look(millrace, asked, undefined)
    const back = { ...before, atMs: done.atMs - 5000 }
    assert.equal(snapshotOf(done, back).streams[0]!.groups[0]!.state, 'working')
    const later = await look(millrace, asked, undefined)
    const stood = { ...done, atMs: later.atMs - 5000 }
    assert.equal(snapshotOf(later, stood).streams[0]!.groups[0]!.state, 'idle')
  })

  test('has a word for a group whose consumers stand, and for one that falls behind', async () => {
    const { redis, millrace } = bench()
    const key = freshPrefix()
    await create(redis, key)
    for (let n = 0; n < 5; n += 1) await append(redis, key, ago(30, n))
    await read(redis, key, 1)
    const asked = { streams: [key] }
    const before = await look(millrace, asked, undefined)
    const back = { ...before, atMs: before.atMs - 5000 }
    const stuck = snapshotOf(await look(millrace, asked, undefined), back).streams[0]!.groups[0]!
    assert.equal(stuck.state, 'stuck')
    await read(redis, key, 1)
    for (let n = 0; n < 3; n += 1) await append(redis, key)
    const worse = snapshotOf(await look(millrace, asked, undefined), back).streams[0]!.groups[0]!
    assert.equal(worse.state, 'falling-behind')
  })
})
