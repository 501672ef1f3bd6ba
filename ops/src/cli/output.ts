/** Prints a result: for programs as JSON, for people as text. */
export function print(isJson: boolean | undefined, result: object, text: string): void {
  printLine(isJson === true ? JSON.stringify(result) : text)
}

export function printLine(text: string): void {
  if (!process.stdout.listeners('error').includes(endAt)) process.stdout.on('error', endAt)
  process.stdout.write(`${text}\n`)
}

/** Prints a text. */
export const printText = (text: string): void => print(false, {}, text)

/** Who has read enough closes the pipe (`| head -1`): that is no failure. A full disk is one. */
function endAt(error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit(Number(process.exitCode ?? 0))
  process.stderr.write(`error: Cannot write the result: ${error.message}\n`)
  process.exit(1)
}
