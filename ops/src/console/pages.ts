/** The addresses of the page. Each answers with the page itself; what it shows stands in the query. */
export const pages = [
  '/',
  '/group',
  '/group/pending',
  '/group/dead-letters',
  '/group/doctor',
  '/group/settings',
  '/streams',
  '/stream',
  '/entry',
] as const

export type PagePath = (typeof pages)[number]
