import { fileURLToPath } from 'node:url'
import { join } from 'node:path'

export const repositoryRoot: string = fileURLToPath(new URL('..', import.meta.url))

/** Default folder of the measured results, git-ignored. */
export const resultsFolder: string = join(repositoryRoot, 'bench-results')

/** Where the document and its pictures are written that are generated from them. */
export const documentsFolder: string = join(repositoryRoot, 'docs')
