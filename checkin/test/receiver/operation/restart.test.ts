/** Receivers are restarted one after the other behind a proxy, and its clients see nothing of it. */
import assert from 'node:assert/strict'
import { Agent, request as httpRequest } from 'node:http'
import { test, type TestContext } from 'node:test'
import { programFile } from '../../../../testing/programs.ts'
import { startReverseProxy, type ProxyKind } from '../../../../testing/proxies.ts'
import { waitFor } from '../../../../testing/wait-for.ts'
import { receiverStage, request, valid } from '../../stage/receiver-stage.ts'

/** Clients of a proxy that go on until they are told to stop. */
class Clients {
  /** Answers by status; -1: none. */
  readonly statuses = new Map<number, number>()
  readonly #url: string
  readonly #ends: Promise<void>[]
  #isOver = false

  constructor(url: string, count: number) {
    this.#url = url
    this.#ends = Array.from({ length: count }, () => this.#run())
  }

  get taken(): number {
    return this.statuses.get(202) ?? 0
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#ends)
  }

  async #run(): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    while (!this.#isOver) {
      const status = await this.#post(agent)
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
    }
    agent.destroy()
  }

  #post(agent: Agent): Promise<number> {
    const headers = { 'content-type': 'application/json' }
    return new Promise((resolve) => {
      const sent = httpRequest(`${this.#url}/api/checkin`, { method: 'POST', agent, headers })
      sent
        .on('error', () => resolve(-1))
        .on('response', (answer) => {
          answer
            .on('error', () => resolve(-1))
            .on('end', () => resolve(answer.statusCode ?? -1))
            .resume()
        })
      sent.end(JSON.stringify(valid))
    })
  }
}

async function restartAll(t: TestContext, kind: ProxyKind): Promise<void> {
  const stage = await receiverStage(t, { graceMs: 1500 })
  const second = stage.another()
  const urls = [stage.url, await second.listen({ host: '127.0.0.1', port: 0 })]
  const ports = urls.map((url) => Number(new URL(url).port))
  const proxy = await startReverseProxy(kind, ports)
  t.after(() => proxy.stop())
  const through = async (): Promise<boolean> => (await request(`${proxy.url}/livez`)).status === 200
  await waitFor(through, { what: 'the proxy to find a receiver' })
  const clients = new Clients(proxy.url, 16)
  const more = async (count: number): Promise<void> => {
    const until = clients.taken + count
    await waitFor(() => clients.taken >= until, { what: `${count} check-ins more` })
  }
  await more(200)
  const receivers = [stage.receiver, second]
  for (const [at, receiver] of receivers.entries()) {
    await receiver.close()
    await more(100)
    const next = stage.another()
    await next.listen({ host: '127.0.0.1', port: ports[at] ?? 0 })
    const back = async (): Promise<boolean> =>
      (await request(`${urls[at] ?? ''}/metrics`)).text.includes('outcome="accepted"')
    await waitFor(back, { what: 'the proxy to send to the new receiver', timeoutMs: 20_000 })
  }
  await more(200)
  await clients.stop()
  assert.deepEqual([...clients.statuses.keys()], [202], proxy.log())
  assert.equal((await stage.entries()).length, clients.taken)
}

for (const kind of ['nginx', 'haproxy'] as const) {
  test(
    `no client of ${kind} meets a closed door while receivers are restarted`,
    { skip: programFile(kind) === undefined && `${kind} is not installed` },
    (t) => restartAll(t, kind),
  )
}
