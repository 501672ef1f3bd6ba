import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { CommandError } from 'millrace-ops/command'
import { unusable, type DataFolder } from './data-folder.ts'

const waitMs = 60_000

/**
 * Runs the action while no other process starts a server on this folder: two servers on one append-only file would
 * destroy it.
 * @throws {CommandError} when another process does not finish its start within a minute, or the folder takes no files.
 */
export async function whileStarting<Result>(
  folder: DataFolder,
  action: () => Promise<Result>,
): Promise<Result> {
  await takeLock(folder)
  try {
    return await action()
  } finally {
    await rm(folder.lockFile, { force: true })
  }
}

async function takeLock(folder: DataFolder): Promise<void> {
  // Linked into place, so that the lock is never there without the holder's process id.
  const draft = `${folder.lockFile}.${process.pid}`
  await writeFile(draft, String(process.pid)).catch((error: unknown) => {
    // The first file that is written there.
    throw unusable(folder.path, error)
  })
  try {
    const deadline = performance.now() + waitMs
    while (!(await isLinked(draft, folder.lockFile))) {
      const holder = await readHolder(folder)
      if (holder !== undefined && !isAlive(holder)) await rm(folder.lockFile, { force: true })
      else if (performance.now() < deadline) await delay(50)
      else throw new CommandError(heldTooLong(folder, holder))
    }
  } finally {
    await rm(draft, { force: true })
  }
}

async function isLinked(draft: string, lockFile: string): Promise<boolean> {
  try {
    await link(draft, lockFile)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function readHolder(folder: DataFolder): Promise<number | undefined> {
  try {
    return Number(await readFile(folder.lockFile, 'utf8'))
  } catch (error) {
    // It was given back in this moment.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** True when a process has this id. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function heldTooLong(folder: DataFolder, holder: number | undefined): string {
  return (
    `Cannot start the embedded server: process ${holder ?? 'unknown'} has been starting it for a minute. ` +
    `End that process, or remove ${folder.lockFile} if it has nothing to do with this checkout`
  )
}
