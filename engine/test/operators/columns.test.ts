import assert from 'node:assert/strict'
import { test } from 'node:test'
import { integer, projection, stream, text } from 'millrace'
import { rowLayout } from '../../src/apply/row-layout.ts'
import { planOf } from '../../src/declare/plan.ts'
import { oneOfEach } from '../stage/one-of-each.ts'

const visits = stream('visits', { guest: text(), stars: integer() })
const declared = oneOfEach('stars', 'guest')
const plan = planOf(projection('each', declared), visits)

test('the columns of a projection write each of its fields once, from a place of its own', () => {
  const { columns, key } = rowLayout(plan)
  const written = columns.flatMap(({ column, at }) => column.written(at).fields)
  const fields = [...Object.keys(declared), '@first', '@latest']
  assert.deepEqual(written.map(([field]) => field).sort(), fields.sort())
  const positions = new Set([key, ...written.map(([, position]) => position)])
  assert.equal(positions.size, 1 + fields.length)
})

test('a row has the width that its columns tell, however many entries it takes', () => {
  const width = plan.columns.reduce((sum, column) => sum + column.width, 0)
  const row: (number | string)[] = []
  const entry = (id: string) => ({ id, values: { guest: 'ada', stars: 3 } })
  for (const column of plan.columns) column.begin(row, entry('5-1'))
  assert.equal(row.length, width)
  for (const id of ['4-0', '6-0']) {
    let at = 0
    for (const column of plan.columns) {
      column.fold(row, at, entry(id))
      at += column.width
    }
  }
  assert.equal(row.length, width)
})

test('Lua begins a row with as many values as JavaScript', () => {
  const entry = {
    id: 'id',
    text: (name: string) => `text(${name})`,
    integer: (name: string) => `integer(${name})`,
    isSmall: () => false,
  }
  for (const column of plan.columns) {
    assert.equal(column.beginInLua(entry).length, column.width)
  }
})
