/** The command was called wrongly: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The command could not do its work for a reason that its user can act on: exit code 1, no stack trace. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}
