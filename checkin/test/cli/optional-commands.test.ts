/** The service where the server does not know CLIENT, INFO and CONFIG: all of it works. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from 'millrace'
import { runMain } from '../../../testing/processes.ts'
import { checkinModel } from '../../src/domain/checkins.ts'
import { load } from '../../src/loader/load.ts'
import { receiverStage, valid } from '../stage/receiver-stage.ts'
import { data } from '../stage/small-data.ts'

interface Shown {
  readonly groups?: readonly object[]
  readonly findings?: readonly { readonly check: string; readonly what: string }[]
}

const unknown = ['CLIENT', 'INFO', 'CONFIG'].flatMap((name) => ['--rename-command', name, ''])
const group = 'checkinConsumers'

test('load, receiver, processors, tables and doctor do without CLIENT, INFO and CONFIG', async (t) => {
  const { server, post, get } = await receiverStage(t, { redis: { args: unknown } })
  const model = checkinModel('ncc')
  const millrace = await connect({ url: server.url })
  t.after(() => millrace.close())
  await load(millrace, data, { model, group })
  assert.equal((await post(valid)).status, 202)
  for (const path of ['/readyz', '/health', '/metrics']) assert.equal((await get(path)).status, 200)
  const desk = millrace.group(model.checkins, group)
  const projections = [model.users, model.locations]
  await desk.consumer('pushed', { projections, drain: true }).run()
  assert.equal((await post(valid)).status, 202)
  await desk.consumer('pulled', { projections, drain: true, handler: () => undefined }).run()
  assert.equal(await desk.isDrained(), true)
  const run = async (command: string): Promise<Shown> => {
    const env = { REDIS_URL: server.url }
    return JSON.parse((await runMain([command, '--json'], { env }).exited).stdout) as Shown
  }
  assert.equal((await run('groups')).groups?.length, 1)
  const hidden = (await run('doctor')).findings?.find(({ check }) => check === 'settings-hidden')
  assert.match(hidden?.what ?? '', /INFO.*CONFIG GET/)
})
