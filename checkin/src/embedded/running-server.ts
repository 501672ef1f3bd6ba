import { dataFolderPath, existingDataFolder } from './data-folder.ts'
import { lookAt, throwIfFrozen, waitUntilLoaded } from './own-server.ts'
import { readServerFile } from './server-file.ts'

/**
 * Finds the embedded server of this checkout, waiting until it has loaded its data.
 * @param path data folder, default as in data-folder.ts
 * @returns undefined when it does not run.
 * @throws {CommandError} when it runs, but does not answer.
 */
export async function runningServer(path = dataFolderPath()): Promise<{ url: string } | undefined> {
  const folder = await existingDataFolder(path)
  const remembered = folder && (await readServerFile(folder))
  if (folder === undefined || remembered === undefined) return undefined
  const look = await lookAt(remembered.port, folder)
  if (look.kind !== 'ours') {
    throwIfFrozen('connect to Redis', look, remembered)
    return undefined
  }
  try {
    await waitUntilLoaded(look.connection)
    return { url: urlOf(remembered.port) }
  } catch {
    // It ended while it was loading, so it does not run.
    return undefined
  } finally {
    look.connection.close()
  }
}

export function urlOf(port: number): string {
  return `redis://127.0.0.1:${port}`
}
