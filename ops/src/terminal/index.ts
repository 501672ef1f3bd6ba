/** How tables, numbers and names of others are written. */
export { plainTable, type PlainTableOptions } from './plain-table.ts'
export * from './words.ts'
