/** A real Prometheus, for the tests of what is shipped for it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killAtExit, removeAtExit } from './clean-up-at-exit.ts'
import { programFile } from './programs.ts'
import { freePort } from './redis-servers.ts'
import { waitFor } from './wait-for.ts'

/** An alert as Prometheus tells of it; alerts that are neither pending nor firing are not told of. */
export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly state: 'pending' | 'firing'
}

/** As the HTTP API has it. */
interface ApiSample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [seconds: number, value: string]
}

/** One series of the answer to a query, at one moment. */
interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface TestPrometheus {
  readonly url: string
  /** What it has printed up to now. */
  readonly log: () => string
  alerts(): Promise<ActiveAlert[]>
  query(expression: string): Promise<Sample[]>
  stop(): Promise<void>
}

/** A job and the ports of the loopback where its processes serve `/metrics`. */
export type Targets = Readonly<Record<string, readonly number[]>>

/** Starts a Prometheus that asks all targets, and evaluates the rules, once a second; it is killed with the test process. */
export async function startPrometheus(
  targets: Targets,
  { rules }: { readonly rules: string },
): Promise<TestPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-prometheus-'))
  removeAtExit(folder)
  writeFileSync(join(folder, 'rules.yml'), rules)
  const configuration = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: ['rules.yml'],
    scrape_configs: Object.entries(targets).map(([job_name, ports]) => ({
      job_name,
      static_configs: [{ targets: ports.map((port) => `127.0.0.1:${port}`) }],
    })),
  }
  const file = join(folder, 'prometheus.json')
  writeFileSync(file, JSON.stringify(configuration))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = spawn(
    programFile('prometheus') ?? 'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  killAtExit(child)
  let log = ''
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding('utf8').on('data', (text: string) => (log += text))
  }
  await waitFor(async () => (await isReady(url)) || child.exitCode !== null, {
    what: 'Prometheus to be ready',
  })
  if (child.exitCode !== null) throw new Error(`Prometheus has ended:\n${log}`)
  return {
    url,
    log: () => log,
    alerts: async () => {
      const { alerts } = await ask<{ alerts: ActiveAlert[] }>(`${url}/api/v1/alerts`)
      return alerts
    },
    query: async (expression) => {
      const query = new URLSearchParams({ query: expression })
      const { result } = await ask<{ result: ApiSample[] }>(
        `${url}/api/v1/query?${query.toString()}`,
      )
      return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
    },
    stop: async () => {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/-/ready`).catch(() => undefined)
  return answer?.ok === true
}

async function ask<Data>(address: string): Promise<Data> {
  const answer = await fetch(address)
  const told = (await answer.json()) as { data?: Data; error?: string }
  if (told.data === undefined) throw new Error(`Prometheus refused "${address}": ${told.error}`)
  return told.data
}
