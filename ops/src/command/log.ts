/** Where a command that works on and on says what it does: a line for each call. */
export interface Log {
  debug(text: string): void
  info(text: string): void
  warn(text: string): void
  error(text: string): void
}

/** Lines on stdout, warnings and errors on stderr, each with the time; details are left out. */
export function plainLog(): Log {
  const line = (level: string, text: string): string =>
    `${new Date().toISOString()} ${level}: ${text}\n`
  const loud =
    (level: string) =>
    (text: string): void =>
      void process.stderr.write(line(level, text))
  return {
    debug: () => undefined,
    info: (text) => void process.stdout.write(line('info', text)),
    warn: loud('warn'),
    error: loud('error'),
  }
}
