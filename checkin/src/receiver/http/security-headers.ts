/** What every answer says to browsers: not to guess what it is, nobody's page may embed it, and where a reader goes on, it is not told from where. */
export const securityHeaders = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
} as const

/** The same as a list of names and values, as `writeHead` takes it. */
export const securityHeaderList: readonly string[] = Object.entries(securityHeaders).flat()
