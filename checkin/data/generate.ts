/** `npm run sample-data`: writes the sample data beside this file. Run it after a change of `sample-data.ts`. */
import { writeFile } from 'node:fs/promises'
import { sampleData } from './sample-data.ts'

for (const [name, text] of sampleData()) {
  await writeFile(new URL(name, import.meta.url), text)
  process.stderr.write(`Wrote ${name}\n`)
}
