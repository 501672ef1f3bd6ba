/** A copy of engine and service with a defect, for negative controls: a check that catches nothing proves nothing. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { removeAtExit } from '../testing/clean-up-at-exit.ts'
import { thisCheckout } from '../testing/processes.ts'

/** A text that is replaced in a file of the copy. */
export interface Patch {
  /** From the root of the checkout. */
  readonly file: string
  /** Must be there exactly once. */
  readonly find: string
  readonly replace: string
}

const copied = ['engine', 'ops', 'checkin', 'chaos'] as const
/** Those that are modules, by the names of their packages. */
const packages = { millrace: 'engine', 'millrace-ops': 'ops', checkin: 'checkin' } as const
const leftOut = new Set(['node_modules', 'dist', 'test', 'bench', 'data', 'examples'])

/**
 * Copies engine and service to a temporary folder and patches them there.
 * @returns the root of the copy, removed with this process.
 * @throws {Error} when a patch does not match exactly once: the control is stale, and has to follow the code.
 */
export function patchedCopy(patches: readonly Patch[]): string {
  const root = mkdtempSync(join(tmpdir(), 'millrace-control-'))
  removeAtExit(root)
  for (const folder of copied) {
    const filter = (source: string): boolean => !leftOut.has(basename(source))
    cpSync(join(thisCheckout, folder), join(root, folder), { recursive: true, filter })
  }
  cpSync(join(thisCheckout, 'package.json'), join(root, 'package.json'))
  linkModules(root)
  for (const patch of patches) apply(root, patch)
  return root
}

/** The modules of this checkout, but the copy's own packages. */
function linkModules(root: string): void {
  const modules = join(root, 'node_modules')
  mkdirSync(modules)
  for (const name of readdirSync(join(thisCheckout, 'node_modules'))) {
    if (name in packages) continue
    symlinkSync(join(thisCheckout, 'node_modules', name), join(modules, name))
  }
  for (const [name, folder] of Object.entries(packages)) {
    symlinkSync(join(root, folder), join(modules, name))
  }
}

function apply(root: string, { file, find, replace }: Patch): void {
  const path = join(root, file)
  const parts = readFileSync(path, 'utf8').split(find)
  if (parts.length !== 2) {
    throw new Error(
      `Control is stale: ${file} holds ${parts.length - 1} times what it replaces:\n${find}\nBring chaos/controls.ts up to date`,
    )
  }
  writeFileSync(path, parts.join(replace))
}
