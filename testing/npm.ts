/** Runs the scripts of this checkout by a real npm, as people do. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killAtExit } from './clean-up-at-exit.ts'
import { thisCheckout, type Ended } from './processes.ts'

/** A folder with the npm scripts of this checkout, and a `.npmrc` of its own. */
export interface NpmFolder {
  /** Runs `npm ARGS`. The environment of the test run, npm's own variables included, is not handed on. */
  readonly npm: (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Ended>
  readonly remove: () => void
}

export function makeNpmFolder(npmrc = ''): NpmFolder {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-npm-'))
  const root = JSON.parse(readFileSync(join(thisCheckout, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const scripts = Object.entries(root.scripts).map(([name, script]) => [
    name,
    script.replaceAll(/ (?=(?:checkin|scripts)\/)/g, ` ${thisCheckout}`),
  ])
  const manifest = { name: 'copy', private: true, scripts: Object.fromEntries(scripts) as unknown }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(folder, '.npmrc'), npmrc)
  symlinkSync(join(thisCheckout, 'node_modules'), join(folder, 'node_modules'))
  const { PATH = '', HOME = '' } = process.env
  return {
    npm: (args, env = {}) => run(folder, args, { PATH, HOME, ...env }),
    remove: () => rmSync(folder, { recursive: true }),
  }
}

function run(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ended> {
  const child = spawn('npm', args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  killAtExit(child)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (stderr += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}
