/** How names and texts are written in the files for shells. */

/** The function of a program: of names that no function can have, the signs become `_`. */
export const functionOf = (program: string): string =>
  `__complete_${program.replaceAll(/[^A-Za-z0-9]/g, '_')}`

/** As bash and zsh take it for one word. */
export const quotedForShell = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** As fish takes it for one word. */
export const quotedForFish = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
