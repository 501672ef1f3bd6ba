import { fileURLToPath } from 'node:url'
import { join } from 'node:path'

export const repositoryRoot: string = fileURLToPath(new URL('../..', import.meta.url))

/** Default folder of the measured results, git-ignored. */
export const resultsFolder: string = join(repositoryRoot, 'bench-results')

/** The document that is generated from them. */
export const reportFile: string = join(repositoryRoot, 'docs', 'benchmarks.md')
