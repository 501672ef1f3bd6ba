/** Prints a result: for programs as JSON, for people as text. */
export function print(isJson: boolean | undefined, result: object, text: string): void {
  process.stdout.write(`${isJson === true ? JSON.stringify(result) : text}\n`)
}
