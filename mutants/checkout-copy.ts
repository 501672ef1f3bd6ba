/** Copies of a checkout in which a source may be spoilt: with its tests, and with what the tests run built. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, sep } from 'node:path'
import ts from 'typescript'
import { removeAtExit } from '../testing/clean-up-at-exit.ts'

/** By the names of their packages. */
const packages = { millrace: 'engine', 'millrace-ops': 'ops', checkin: 'checkin' } as const
const workspaces = Object.values(packages)

/** For what the tests put into temporary folders; its name is short, as the path of a socket has to be. */
export const temporaryIn = 'tmp'

/**
 * Copies what git knows or would add, and the builds; modules are links, but for the copy's own engine and service.
 * @returns the root of the copy, removed with this process if not before (`removeCopy`).
 */
export function copyOf(checkout: string): string {
  const root = mkdtempSync(join(tmpdir(), 'mutant-'))
  removeAtExit(root)
  mkdirSync(join(root, temporaryIn))
  const known = ['ls-files', '--cached', '--others', '--exclude-standard', '-z']
  const files = execFileSync('git', known, { cwd: checkout, encoding: 'utf8' })
  const dists = workspaces.map((workspace) => `${workspace}/dist`)
  for (const file of [...files.split('\0'), ...dists]) {
    if (file === '' || !existsSync(join(checkout, file))) continue
    cpSync(join(checkout, file), join(root, file), { recursive: true })
  }
  linkModules(checkout, root)
  return root
}

/** Ends what still runs in the copy: a test that was cut off may have left a server of its own group. Linux only. */
export function removeCopy(root: string): void {
  for (const pid of existsSync('/proc') ? readdirSync('/proc') : []) {
    if (/^\d+$/.test(pid) && isIn(root, pid)) process.kill(Number(pid), 'SIGKILL')
  }
  rmSync(root, { recursive: true, force: true, maxRetries: 5 })
}

/** Writes a source of a copy, and brings the built file up to date that comes of it. */
export function writeSource(root: string, file: string, text: string): void {
  writeFileSync(join(root, file), text)
  const workspace = file.split('/')[0] ?? ''
  if (!existsSync(join(root, workspace, 'dist'))) return
  if (file.endsWith('.lua')) {
    const inlined = spawnSync(process.execPath, [join(root, 'scripts/inline-lua.mjs')])
    if (inlined.status !== 0) throw new Error(`Cannot build: ${inlined.stderr.toString()}`)
    return
  }
  const built = join(root, file.replace('/src/', '/dist/').replace(/\.ts$/, '.js'))
  // The module that reads the scripts is replaced in the build.
  if (file.endsWith('/lua-parts.ts')) return
  mkdirSync(dirname(built), { recursive: true })
  writeFileSync(built, transpiled(text))
}

/** As `tsc` makes it of one file, with no look at types: they are erased, and each file stands for itself. */
function transpiled(text: string): string {
  const compilerOptions: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
    rewriteRelativeImportExtensions: true,
  }
  return ts.transpileModule(text, { compilerOptions }).outputText
}

function linkModules(checkout: string, root: string): void {
  const inRoot = join(checkout, 'node_modules')
  mkdirSync(join(root, 'node_modules'))
  for (const name of readdirSync(inRoot)) {
    if (name in packages) continue
    symlinkSync(join(inRoot, name), join(root, 'node_modules', name))
  }
  for (const [name, workspace] of Object.entries(packages)) {
    symlinkSync(join(root, workspace), join(root, 'node_modules', name))
    const own = join(checkout, workspace, 'node_modules')
    if (existsSync(own)) symlinkSync(own, join(root, workspace, 'node_modules'))
  }
}

function isIn(root: string, pid: string): boolean {
  try {
    const folder = readlinkSync(`/proc/${pid}/cwd`)
    return folder === root || folder.startsWith(root + sep)
  } catch {
    // It is gone, or not ours.
    return false
  }
}

/** The text of a source of a checkout. */
export function readSource(root: string, file: string): string {
  return readFileSync(join(root, file), 'utf8')
}
