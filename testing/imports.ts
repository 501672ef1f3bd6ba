/** Which file of a checkout imports, starts or reads which other one, as far as the texts tell. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** Of each file, those that name it. */
export type Importers = ReadonlyMap<string, ReadonlySet<string>>

const isModule = (file: string): boolean => /\.(?:ts|mjs|js|lua)$/.test(file)

/**
 * Reads all modules among the files. A module names a file by an import (one of types alone counts for nothing), by its path in quotes
 * (a program that it starts, a document that it reads), and a script of the engine by `script('<its name>')`; a script names what it
 * includes.
 * @param root the folder of the checkout
 * @param files paths below it, those that are gone included, as what imports them is broken
 */
export function importersIn(root: string, files: readonly string[]): Importers {
  const known = new Set(files)
  const scripts = files.filter((file) => /^engine\/lua\/.*\.lua$/.test(file))
  const importers = new Map<string, Set<string>>()
  for (const file of files.filter(isModule)) {
    if (!existsSync(join(root, file))) continue
    const text = readFileSync(join(root, file), 'utf8')
    const named = file.endsWith('.lua')
      ? includedIn(text)
      : [...namedIn(file, text, known), ...scripts.filter((path) => sends(text, path))]
    for (const path of named) {
      if (path !== file) importers.set(path, (importers.get(path) ?? new Set()).add(file))
    }
  }
  return importers
}

/** What the packages of the workspaces are imported by. */
const packages: ReadonlyMap<string, string> = new Map([
  ['millrace', 'engine/src/index.ts'],
  ['millrace-ops', 'ops/src/index.ts'],
  ['millrace-ops/command', 'ops/src/command.ts'],
  ['millrace-ops/stop', 'ops/src/stop.ts'],
  ['millrace-ops/terminal', 'ops/src/terminal/index.ts'],
])

const typeImport = /^import type [^'"]*['"][^'"]+['"]/gm
const quoted = /(['"`])([^'"`\n\s]+)\1/g

function namedIn(file: string, text: string, known: ReadonlySet<string>): string[] {
  const names = text.replace(typeImport, '').matchAll(quoted)
  return [...names].flatMap(([, , name = '']) => {
    const own = packages.get(name)
    if (own !== undefined) return [own]
    // Relative to the module, or to the root, from where programs are started.
    const paths = [normalize(join(dirname(file), name)), normalize(name)]
    return paths.filter((path) => known.has(path))
  })
}

function sends(text: string, path: string): boolean {
  return text.includes(`script('${path.replace(/^engine\/lua\/(.*)\.lua$/, '$1')}'`)
}

function includedIn(text: string): string[] {
  return [...text.matchAll(/^-- @include (\S+)$/gm)].map(
    ([, name = '']) => `engine/lua/${name}.lua`,
  )
}

/**
 * How far each file is from the nearest of those given: 1 for what names one itself, 2 for what names that, and so on.
 * Files that do not reach any are not in it.
 */
export function distancesTo(files: readonly string[], importers: Importers): Map<string, number> {
  const distances = new Map(files.map((file) => [file, 0]))
  // A map goes on to what is added while it is walked: nearest first.
  for (const [file, distance] of distances) {
    for (const importer of importers.get(file) ?? []) {
      if (!distances.has(importer)) distances.set(importer, distance + 1)
    }
  }
  return distances
}
