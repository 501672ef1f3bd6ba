import { constants, isUtf8 } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CheckinModel } from '../domain/checkins.ts'
import { CommandError } from 'millrace-ops/command'
import { findFlaw, placeOfRecord } from './json-places.ts'
import { checkinCheck, locationCheck, userCheck, type Check, type LoadedRecord } from './records.ts'

/** What a data folder holds, checked. */
export interface LoadedData {
  readonly users: readonly LoadedRecord[]
  readonly locations: readonly LoadedRecord[]
  /** In stream order; `id` is the entry id. */
  readonly checkins: readonly LoadedRecord[]
}

/** The sample data of the service. */
export const sampleFolder: string = fileURLToPath(new URL('../../data', import.meta.url))

/**
 * Reads `users.json`, `locations.json` and `checkins.json` of a folder and checks all of it.
 * @throws {CommandError} naming file, line, and what is expected there.
 */
export async function readDataFolder(folder: string, model: CheckinModel): Promise<LoadedData> {
  return {
    users: await readList(folder, 'users', userCheck()),
    locations: await readList(folder, 'locations', locationCheck()),
    checkins: await readList(folder, 'checkins', checkinCheck(model)),
  }
}

/** Reads `<list>.json`, which holds `{ "<list>": [record, ...] }`. */
async function readList(folder: string, list: string, check: Check): Promise<LoadedRecord[]> {
  const file = join(folder, `${list}.json`)
  const text = await readText(file)
  const records = recordsOf(file, text, list)
  for (const [index, record] of records.entries()) {
    const problem = check(record)
    if (problem === undefined) continue
    const line = placeOfRecord(text, list, index)?.line ?? 0
    throw cannotLoad(file, `line ${line}, record ${index + 1} of "${list}": ${problem}`)
  }
  return records as LoadedRecord[]
}

function recordsOf(file: string, text: string, list: string): unknown[] {
  const whole = parse(file, text)
  const isObject = typeof whole === 'object' && whole !== null
  const records = isObject ? new Map<string, unknown>(Object.entries(whole)).get(list) : undefined
  if (Array.isArray(records)) return records
  throw cannotLoad(file, `line 1: expected an object with a list: { "${list}": [ ... ] }`)
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const flaw = findFlaw(text)
    if (flaw === undefined) throw cannotLoad(file, `it is no JSON: ${String(error)}`)
    const { place, expected } = flaw
    throw cannotLoad(file, `line ${place.line}, column ${place.column}: expected ${expected}`)
  }
}

async function readText(file: string): Promise<string> {
  const bytes = await readBytes(file)
  if (bytes.length > constants.MAX_STRING_LENGTH) {
    const most = Math.floor(constants.MAX_STRING_LENGTH / 2 ** 20)
    throw cannotLoad(file, `it is larger than ${most} MiB. Use a smaller file`)
  }
  if (!isUtf8(bytes)) throw cannotLoad(file, 'it is no UTF-8 text. Save it as UTF-8')
  const text = bytes.toString()
  // Some editors begin a file with a byte order mark, which is no JSON.
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error
    const isMissing = error.code === 'ENOENT' || error.code === 'ENOTDIR'
    const state = isMissing ? 'there is no such file' : error.message
    throw cannotLoad(
      file,
      `${state}. A data folder holds users.json, locations.json and checkins.json`,
      error,
    )
  }
}

function cannotLoad(file: string, state: string, cause?: unknown): CommandError {
  return new CommandError(`Cannot load "${file}": ${state}. Nothing was loaded`, { cause })
}
