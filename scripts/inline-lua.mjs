/**
 * Replaces the built `engine/dist/scripts/lua-parts.js`, which reads `engine/lua/`, by a module that holds the texts: the package then
 * reads no file of its own, and bundles of it run. Part of `npm run build`.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const lua = fileURLToPath(new URL('../engine/lua', import.meta.url))
const built = fileURLToPath(new URL('../engine/dist/scripts/lua-parts.js', import.meta.url))

const texts = Object.fromEntries(
  ['', 'parts/'].flatMap((folder) =>
    readdirSync(`${lua}/${folder}`)
      .filter((file) => file.endsWith('.lua'))
      .map((file) => [
        `${folder}${file.replace(/\.lua$/, '')}`,
        readFileSync(`${lua}/${folder}${file}`, 'utf8'),
      ]),
  ),
)
writeFileSync(
  built,
  `const texts = ${JSON.stringify(texts, undefined, 2)}

/** The text of a file in \`lua/\`, by its path there. */
export function luaText(name) {
  return texts[name]
}
`,
)
rmSync(`${built}.map`, { force: true })
