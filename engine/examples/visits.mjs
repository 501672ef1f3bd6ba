/**
 * A stream of visits, a projection per guest and one per room, two consumers. Needs a server (REDIS_URL, default
 * redis://127.0.0.1:6379) and the packages `millrace` and `redis`; leaves no key behind.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import {
  average,
  connect,
  count,
  entryTime,
  integer,
  latest,
  projection,
  stream,
  sum,
} from 'millrace'

const prefix = `example:${randomUUID()}`

const visits = stream(`${prefix}:visits`, {
  guest: integer(1),
  room: integer(1),
  stars: integer(0, 5),
})

const guests = projection(`${prefix}:guests:{guest}`, {
  visits: count(),
  lastVisit: latest(entryTime()),
  lastRoom: latest('room'),
})

const rooms = projection(`${prefix}:rooms:{room}`, {
  visits: count(),
  stars: sum('stars'),
  averageStars: average('stars', 'visits'),
})

const millrace = await connect({ url: process.env.REDIS_URL || 'redis://127.0.0.1:6379' })
try {
  const desk = millrace.group(visits, 'desk')
  await desk.create()

  // Explicit ids only so that the output is the same at every run; without them the server gives the ids.
  await millrace.append(visits, { guest: 1, room: 7, stars: 4 }, { id: '1000-0' })
  await millrace.appendMany(visits, [
    { values: { guest: 2, room: 7, stars: 5 }, id: '2000-0' },
    { values: { guest: 1, room: 8, stars: 3 }, id: '3000-0' },
  ])

  const consumers = ['ada', 'bob'].map((name) =>
    desk.consumer(name, { projections: [guests, rooms], drain: true }),
  )
  await Promise.all(consumers.map((consumer) => consumer.run()))

  const guest = await hash(`${prefix}:guests:1`)
  const room = await hash(`${prefix}:rooms:7`)
  console.log('guest 1:', guest)
  console.log('room 7: ', room)
  assert.deepEqual(guest, { '@latest': '3000-0', visits: '2', lastVisit: '3000', lastRoom: '8' })
  assert.deepEqual(room, { visits: '2', stars: '9', averageStars: '5' })
  const applied = consumers.reduce((total, { counts }) => total + counts.applied, 0)
  assert.equal(applied, 3)
} finally {
  await removeKeys()
  await millrace.close()
}

async function hash(key) {
  const flat = await millrace.send('HGETALL', key)
  const fields = {}
  for (let at = 0; at < flat.length; at += 2) fields[flat[at]] = flat[at + 1]
  return fields
}

async function removeKeys() {
  let cursor = '0'
  do {
    const [next, keys] = await millrace.send(
      'SCAN',
      cursor,
      'MATCH',
      `${prefix}:*`,
      'COUNT',
      '1000',
    )
    if (keys.length > 0) await millrace.send('UNLINK', ...keys)
    cursor = next
  } while (cursor !== '0')
}
