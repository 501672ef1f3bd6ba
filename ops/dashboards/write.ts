/** Writes `ops/grafana/`: `npm run dashboards`. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { dashboards } from './all.ts'
import { textOf } from './text-of.ts'

for (const [name, dashboard] of Object.entries(dashboards)) {
  const file = fileURLToPath(new URL(`../grafana/${name}.json`, import.meta.url))
  writeFileSync(file, await textOf(dashboard))
}
