/** The time in the ids of entries. */

// The end of the year 9999: what RFC 3339 can say.
const lastMs = 253_402_300_799_999

/** When the store took an entry, from its id; an id may lie beyond what a date can be. */
export function timeOfId(id: string): string {
  const ms = id.slice(0, id.indexOf('-'))
  // Many entries of one millisecond come in a row.
  if (ms !== latest.ms) {
    latest = { ms, text: new Date(Math.min(Number(ms), lastMs)).toISOString() }
  }
  return latest.text
}

/** When a check-in was taken that was taken just now: by its id, and by our clock where ids run ahead of it. */
export function receivedNow(id: string): string {
  return isAhead(id) ? new Date().toISOString() : timeOfId(id)
}

// Two clocks that are kept in time differ by less.
const clocksMs = 60_000

/** True when the time in an id lies in the future: somebody has appended an entry with an id of their own. */
export function isAhead(id: string): boolean {
  return Number(id.slice(0, id.indexOf('-'))) > Date.now() + clocksMs
}

let latest = { ms: '', text: '' }
