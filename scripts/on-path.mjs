import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The file that a command's name runs, or undefined when no folder of the PATH has it. */
export function onPath(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder || '.', name)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // Not in this folder.
    }
  }
  return undefined
}
