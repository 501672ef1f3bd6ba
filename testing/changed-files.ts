/** What has changed in a checkout, as git knows it: what `npm test -- --changed` starts from. */
import { spawnSync } from 'node:child_process'

/** Files that differ, and from what. */
export interface Change {
  /** What they are compared with, in words: "HEAD", "where HEAD left main". */
  readonly since: string
  /** Paths below the root, sorted: tracked ones that differ or are gone, and untracked ones that git does not ignore. */
  readonly files: readonly string[]
}

/**
 * The files that differ from where HEAD left `ref`. Without a `ref`: what is not committed yet; in a clean checkout of a branch, what
 * the branch has changed since it left main. A file that was moved is there with both its paths.
 * @param root the folder of the checkout
 * @throws {Error} when git does not know the ref, or this is no checkout.
 */
export function changedFiles(root: string, ref?: string): Change {
  if (ref !== undefined) return changedSince(root, ref)
  const uncommitted = { since: 'HEAD', files: differing(root, 'HEAD') }
  if (uncommitted.files.length > 0 || commitOf(root, 'main') === undefined) return uncommitted
  return mergeBase(root, 'main') === commitOf(root, 'HEAD')
    ? uncommitted
    : changedSince(root, 'main')
}

function changedSince(root: string, ref: string): Change {
  const commit = commitOf(root, ref)
  if (commit === undefined) throw new Error(`git knows no commit "${ref}"`)
  const base = mergeBase(root, ref)
  // Without a common commit there is only the ref itself to compare with.
  const since = base === undefined || base === commit ? ref : `where HEAD left ${ref}`
  return { since, files: differing(root, base ?? commit) }
}

function differing(root: string, commit: string): string[] {
  const tracked = git(root, 'diff', '--name-only', '--no-renames', '--relative', '-z', commit)
  const untracked = git(root, 'ls-files', '--others', '--exclude-standard', '-z')
  return pathsIn(tracked + untracked)
}

/** All files of the checkout, tracked or new, those excepted that git ignores. */
export function filesIn(root: string): string[] {
  return pathsIn(git(root, 'ls-files', '--cached', '--others', '--exclude-standard', '-z'))
}

function pathsIn(listed: string): string[] {
  return [...new Set(listed.split('\0'))].filter((path) => path !== '').sort()
}

function commitOf(root: string, ref: string): string | undefined {
  return answer(root, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`)
}

function mergeBase(root: string, ref: string): string | undefined {
  return answer(root, 'merge-base', 'HEAD', ref)
}

/** What git says, undefined when it says no. */
function answer(root: string, ...args: string[]): string | undefined {
  const { status, stdout } = run(root, args)
  return status === 0 ? stdout.trim() : undefined
}

function git(root: string, ...args: string[]): string {
  const { status, stdout, stderr } = run(root, args)
  if (status !== 0) throw new Error(`git ${args[0] ?? ''} failed: ${stderr.trim()}`)
  return stdout
}

function run(root: string, args: readonly string[]) {
  const ended = spawnSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 2 ** 20 })
  if (ended.error !== undefined) throw new Error(`git cannot be run: ${ended.error.message}`)
  return ended
}
