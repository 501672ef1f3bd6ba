/** `millrace/testing`: the reference, a fold of entries in memory, to hold the hashes against. */
export { Reference, type Hash, type RefusalCode } from './declare/reference.ts'
