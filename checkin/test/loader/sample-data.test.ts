import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { sampleData } from '../../data/sample-data.ts'
import { checkinModel } from '../../src/domain/checkins.ts'
import { readDataFolder, sampleFolder } from '../../src/loader/data-folder.ts'

test('sample data in the repository is what the generator makes', async () => {
  for (const [name, text] of sampleData()) {
    const committed = await readFile(new URL(`../../data/${name}`, import.meta.url), 'utf8')
    assert.equal(committed === text, true, `${name} is old: run "npm run sample-data"`)
  }
})

test('sample data is the same at every run of the generator', () => {
  assert.deepEqual(sampleData(), sampleData())
})

test('sample data passes the checks of the loader and has the size that the documents name', async () => {
  const data = await readDataFolder(sampleFolder, checkinModel('ncc'))
  assert.equal(data.users.length, 1000)
  assert.equal(data.locations.length, 210)
  assert.equal(data.checkins.length, 5000)
})

test('sample data has users who were seen later than some of their check-ins', async () => {
  const { users, checkins } = await readDataFolder(sampleFolder, checkinModel('ncc'))
  const seenLater = users.filter((user) =>
    checkins.some(
      ({ id, userId }) =>
        userId === user.id && Number.parseInt(String(id)) < Number(user.lastCheckin),
    ),
  )
  assert.equal(seenLater.length, 20)
})

test('sample data has averages that are the stars by the check-ins, rounded half up', async () => {
  const { locations } = await readDataFolder(sampleFolder, checkinModel('ncc'))
  for (const { numCheckins, numStars, averageStars } of locations) {
    assert.equal(averageStars, Math.round(Number(numStars) / Number(numCheckins)))
  }
})
