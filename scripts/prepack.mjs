/** Before a package is packed: builds it, and puts beside it the documents that its README names. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

const { status } = spawnSync(process.execPath, [process.env.npm_execpath, 'run', 'build'], {
  cwd: root,
  // Only what npm itself prints goes to the output of "npm pack".
  stdio: ['ignore', 2, 2],
})
if (status !== 0) throw new Error('Cannot pack: "npm run build" failed, see above')
const docs = `${process.cwd()}/docs`
mkdirSync(docs, { recursive: true })
for (const name of ['guarantees.md', 'it-lags.md', 'metrics.md', 'operations.md']) {
  cpSync(`${root}docs/${name}`, `${docs}/${name}`)
}
