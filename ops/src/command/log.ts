/**
 * Where a command that works on and on says what it does: a line for each call. Fields are for programs, by names that stay; the
 * text is for people.
 */
export interface Log {
  debug(text: string): void
  info: Say
  warn: Say
  error(text: string): void
}

interface Say {
  (text: string): void
  (fields: object, text: string): void
}

/**
 * Lines on stdout, warnings and errors on stderr, each with the time; details are left out. With `LOG_FORMAT=json` each is an
 * object, with the fields, and all are on stdout.
 */
export function plainLog(): Log {
  const isJson = process.env.LOG_FORMAT === 'json'
  const say = (level: string, output: NodeJS.WriteStream): Say => {
    return (given: object | string, said?: string): void => {
      const text = typeof given === 'string' ? given : (said ?? '')
      const fields = typeof given === 'string' ? {} : given
      const time = new Date().toISOString()
      if (!isJson) output.write(`${time} ${level}: ${text}\n`)
      else process.stdout.write(`${JSON.stringify({ level, time, ...fields, msg: text })}\n`)
    }
  }
  return {
    debug: () => undefined,
    info: say('info', process.stdout),
    warn: say('warn', process.stderr),
    error: say('error', process.stderr),
  }
}
