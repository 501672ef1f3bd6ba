/** Before the engine is packed: builds it, and puts beside it the documents that its README names. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

const { status } = spawnSync(process.execPath, [process.env.npm_execpath, 'run', 'build'], {
  cwd: root,
  // Only what npm itself prints goes to the output of "npm pack".
  stdio: ['ignore', 2, 2],
})
if (status !== 0) throw new Error('Cannot pack the engine: "npm run build" failed, see above')
mkdirSync(`${root}engine/docs`, { recursive: true })
for (const name of ['guarantees.md', 'operations.md']) {
  cpSync(`${root}docs/${name}`, `${root}engine/docs/${name}`)
}
