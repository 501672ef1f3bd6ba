/** Prints a result: for programs as JSON, for people as text. */
export function print(isJson: boolean | undefined, result: object, text: string): void {
  process.stdout.once('error', endAt)
  process.stdout.write(`${isJson === true ? JSON.stringify(result) : text}\n`)
}

/** Prints a text. */
export const printText = (text: string): void => print(false, {}, text)

/** Who has read enough closes the pipe (`| head -1`): that is no failure. A full disk is one. */
function endAt(error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit(Number(process.exitCode ?? 0))
  process.stderr.write(`error: Cannot write the result: ${error.message}\n`)
  process.exit(1)
}
