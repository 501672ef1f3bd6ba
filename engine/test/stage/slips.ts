/** Calls as JavaScript could make them, where no types look at what is given. */
import assert from 'node:assert/strict'

/** How the error begins, after `Type` or `Range`, and the call. */
export type Slip = readonly [says: string, call: () => unknown]

export const slip = (value: unknown): never => value as never

/** Half a character: no text that a server could keep. */
export const lone = '\uD800'

/** Each call throws, or rejects with, a TypeError or a RangeError that begins so. */
export async function refuseAll(slips: readonly Slip[]): Promise<void> {
  for (const [says, call] of slips) {
    const error: unknown = await Promise.resolve()
      .then(call)
      .then(
        () => 'nothing',
        (reason: unknown) => reason,
      )
    const isOurs = error instanceof TypeError || error instanceof RangeError
    const told = String(error).replace(/^(Type|Range)/, '')
    assert.ok(isOurs && told.startsWith(says), `${String(error)}, not ${says}`)
  }
}
