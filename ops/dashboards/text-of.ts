import { format } from 'prettier'
import type { Framed } from './frame.ts'

/** A dashboard as its file has it. */
export async function textOf(dashboard: Framed): Promise<string> {
  return await format(JSON.stringify(dashboard), { parser: 'json', printWidth: 100 })
}
