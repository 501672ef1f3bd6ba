/** The keys that the engine derives for a group. All begin with the stream's key, so they share its cluster slot. */
export interface GroupKeys {
  /** The stream itself. */
  readonly stream: string
  /** Stream: entries that could not be processed. */
  readonly deadLetters: string
}

/** The keys of a group (or of a reader without a group, by its name). */
export function groupKeys(stream: string, name: string): GroupKeys {
  return { stream, deadLetters: `${stream}:${name}:dead` }
}
