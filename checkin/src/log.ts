import { pino, type Logger } from 'pino'
import pretty from 'pino-pretty'
import type { LogFormat, LogLevel } from './config.ts'

export type Log = Logger

/**
 * Opens the log of a service on stdout: one JSON object a line, or `level: message` as on the seed's terminal.
 * Control characters in values are escaped by both formats, so one call is one line.
 */
export function openLog(options: { level: LogLevel; format: LogFormat }): Log {
  if (options.format === 'json') {
    const timestamp = pino.stdTimeFunctions.isoTime
    return pino({ level: options.level, base: null, timestamp, formatters: { level: named } })
  }
  const isColour = process.stdout.isTTY && process.env.NO_COLOR === undefined
  return pino(
    { level: options.level, base: null, timestamp: false },
    pretty({
      sync: true,
      colorize: isColour,
      hideObject: true,
      customPrettifiers: {
        level: (_value, _key, _log, { label, labelColorized }) =>
          isColour
            ? labelColorized.toLowerCase().replace(/\[(\d+)M/gi, '[$1m')
            : label.toLowerCase(),
      },
    }),
  )
}

const named = (level: string): { level: string } => ({ level })
