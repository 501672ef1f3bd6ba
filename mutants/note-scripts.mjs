/**
 * Notes which files of `engine/lua/` are in the scripts that the engine sends: `reach.ts` lets a copy of the engine call it. By
 * this and not by asking the servers, as a compiled script has a digest of its own, and a server that was killed knows nothing.
 */
import { appendFileSync, readdirSync, readFileSync } from 'node:fs'

const lua = new URL('../engine/lua/', import.meta.url)
const noted = new URL('../scripts-sent', import.meta.url)
const files = ['', 'parts/'].flatMap((folder) =>
  readdirSync(new URL(folder, lua))
    .filter((file) => file.endsWith('.lua'))
    .map((file) => folder + file),
)
// A script keeps the first line of its file at its head, and what is included instead of the lines that say so.
const texts = files.map((file) => [
  file,
  readFileSync(new URL(file, lua), 'utf8').replaceAll(/^(?:#!lua.*|-- @include .*)\n/gm, ''),
])
const seen = new Set()

export function noteScript({ text, digest }) {
  if (seen.has(digest)) return
  seen.add(digest)
  for (const [file, part] of texts) {
    if (text.includes(part)) appendFileSync(noted, `engine/lua/${file}\n`)
  }
}
