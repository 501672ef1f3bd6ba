/** The browser of tests: chromium, by the PATH. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const names = ['chromium', 'chromium-headless-shell', 'google-chrome']

/** Where it is; undefined where this machine has none. `MILLRACE_CHROMIUM` names another. */
export function chromiumPath(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const onPath = names.flatMap((name) => folders.map((folder) => join(folder, name)))
  return [process.env.MILLRACE_CHROMIUM, ...onPath].find(
    (path) => path !== undefined && existsSync(path),
  )
}
