/** Runs one test file of a copy by node's runner, in a group of processes of its own, and ends it at its first failure. */
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryIn } from './checkout-copy.ts'

export type TestFileEnd =
  | { readonly kind: 'passed'; readonly seconds: number }
  /** `title` is the first test that failed; the file itself where it failed outside of its tests. */
  | { readonly kind: 'failed'; readonly title: string; readonly said: string }
  | { readonly kind: 'timed out' }

interface RunOptions {
  readonly limitMs: number
  readonly env?: Readonly<Record<string, string>>
}

const reporter = fileURLToPath(new URL('first-failure.mjs', import.meta.url))
const groups = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of groups) signal(child, 'SIGKILL')
})

export async function runTestFile(
  root: string,
  file: string,
  { limitMs, env = {} }: RunOptions,
): Promise<TestFileEnd> {
  const startedAt = performance.now()
  const source = ['--conditions=millrace-source', '--import', 'tsx']
  const child = start(root, [...source, '--test', `--test-reporter=${reporter}`, file], env)
  const lateness = { isLate: false }
  const limit = setTimeout(() => {
    lateness.isLate = true
    endGroup(child)
  }, limitMs)
  let said = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text
    if (said.includes('\n')) endGroup(child)
  })
  const code = await ended(child)
  clearTimeout(limit)
  const [line] = said.split('\n')
  if (line !== undefined && line !== '') {
    return { kind: 'failed', ...(JSON.parse(line) as { title: string; said: string }) }
  }
  if (lateness.isLate) return { kind: 'timed out' }
  if (code !== 0) return { kind: 'failed', title: file, said: `the runner ended with ${code}` }
  return { kind: 'passed', seconds: (performance.now() - startedAt) / 1000 }
}

/** Whether the module can be imported at all. */
export async function doesLoad(root: string, file: string): Promise<boolean> {
  const code = `await import(${JSON.stringify(join(root, file))})`
  const source = ['--conditions=millrace-source', '--import', 'tsx', '--input-type=module']
  const child = start(root, [...source, '--eval', code], {})
  const limit = setTimeout(() => endGroup(child), 60_000)
  const exit = await ended(child)
  clearTimeout(limit)
  return exit === 0
}

function start(
  root: string,
  args: readonly string[],
  added: Readonly<Record<string, string>>,
): ChildProcess {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: {
      ...process.env,
      // A test may start a run, and may itself be measured.
      NODE_TEST_CONTEXT: undefined,
      NODE_V8_COVERAGE: undefined,
      // One kind of server, the quickest one.
      MILLRACE_TEST_SERVER: 'redis',
      TMPDIR: join(root, temporaryIn),
      ...added,
    },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  })
  groups.add(child)
  return child
}

async function ended(child: ChildProcess): Promise<number | null> {
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  // What a test has left behind.
  signal(child, 'SIGKILL')
  groups.delete(child)
  return code
}

/** Tests clean up at SIGTERM; what does not end is killed. */
function endGroup(child: ChildProcess): void {
  signal(child, 'SIGTERM')
  setTimeout(() => signal(child, 'SIGKILL'), 2000).unref()
}

function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, name)
  } catch {
    // The group is gone.
  }
}
