import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const folders = ['engine/test', 'checkin/test', 'testing']

/** The test files of a checkout that may judge a mutant: all but those of the mutation run itself. */
export function testFilesIn(checkout: string): string[] {
  return folders
    .filter((folder) => existsSync(join(checkout, folder)))
    .flatMap((folder) =>
      readdirSync(join(checkout, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.test.ts'))
        .map((name) => join(folder, name))
        .sort(),
    )
}
