/** promtool: what Prometheus itself thinks of rules, expressions and metrics. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { programFile } from './programs.ts'

/** For the option `skip` of a test: false when Prometheus and promtool are here, else why not. */
export const noPrometheus: string | false =
  programFile('promtool', 'prometheus') === undefined || programFile('prometheus') === undefined
    ? 'there is no Prometheus: "npm run setup -- --with-servers" fetches it on Debian'
    : false

/** How promtool ended. */
export interface Verdict {
  readonly exitCode: number | null
  /** Both outputs. */
  readonly said: string
}

/** Runs promtool to its end; `input` is its standard input. */
export function promtool(args: readonly string[], input = ''): Verdict {
  const file = programFile('promtool', 'prometheus') ?? 'promtool'
  const { status, stdout, stderr, error } = spawnSync(file, args, { encoding: 'utf8', input })
  if (error !== undefined) throw error
  return { exitCode: status, said: stdout + stderr }
}

/** What promtool has against metrics as they are served; empty: nothing. But for those of Node, whose names are prom-client's. */
export function metricFaults(text: string): string {
  const ours = text.split('\n').filter((line) => !/^(?:# \w+ )?nodejs_/.test(line))
  return promtool(['check', 'metrics'], `${ours.join('\n')}\n`).said
}

/** What promtool has against these expressions; empty: Prometheus parses all of them. */
export function faultsOf(expressions: readonly string[]): string {
  const rules = expressions.map((expr, at) => ({ record: `expression_${at}`, expr }))
  const folder = mkdtempSync(join(tmpdir(), 'millrace-rules-'))
  try {
    // JSON is YAML, too.
    const file = join(folder, 'rules.json')
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'expressions', rules }] }))
    const { exitCode, said } = promtool(['check', 'rules', file])
    return exitCode === 0 ? '' : said
  } finally {
    rmSync(folder, { recursive: true })
  }
}
