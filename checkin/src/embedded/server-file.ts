import { readFile, rename, writeFile } from 'node:fs/promises'
import { unusable, type DataFolder } from './data-folder.ts'

/** What the data folder remembers of its server from start to start, in `server.json`. */
export interface ServerFile {
  /** The server's port, stable for this folder unless another program takes it. */
  readonly port: number
  /** Process of the server; null while it starts. Not cleared at its end: ask the port whether it lives. */
  readonly pid: number | null
  /** Process that ends the server at its own end; for people who look for it. */
  readonly ownerPid: number
}

/** Reads `server.json`; undefined when there is none, or none that can be read as one. */
export async function readServerFile(folder: DataFolder): Promise<ServerFile | undefined> {
  let text: string
  try {
    text = await readFile(folder.serverFile, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unusable(folder.path, error)
  }
  return parse(text)
}

export async function writeServerFile(folder: DataFolder, content: ServerFile): Promise<void> {
  // Renamed into place, so that no reader sees half of it.
  const draft = `${folder.serverFile}.${process.pid}`
  await writeFile(draft, `${JSON.stringify(content)}\n`)
  await rename(draft, folder.serverFile)
}

function parse(text: string): ServerFile | undefined {
  try {
    const content = JSON.parse(text) as Partial<ServerFile> | null
    const { port, pid = null, ownerPid = 0 } = content ?? {}
    return Number.isInteger(port) ? { port: Number(port), pid, ownerPid } : undefined
  } catch (error) {
    // The file only saves a search: without it, the port is derived from the folder's path.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
