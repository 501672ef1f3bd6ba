/** The command was called wrongly: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The command could not do its work for a reason that its user can act on: exit code 1, no stack trace. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError'
}

/** Some of the work could not be done, and the result that is printed says which: nothing is to be added to it. */
export class PartlyDoneError extends CommandError {
  override readonly name = 'PartlyDoneError'
}
