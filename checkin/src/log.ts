import { pino, type Logger } from 'pino'
import pretty from 'pino-pretty'
import type { LogFormat, LogLevel } from './config.ts'

export type Log = Logger

/**
 * Opens the log of a service on stdout: one JSON object a line, or `level: message` as on the seed's terminal.
 * Control characters in values are escaped by both formats, so one call is one line.
 */
export function openLog(options: {
  readonly level: LogLevel
  readonly format: LogFormat
  /** In the format for people: the time of day before each line. The other one always has the time. */
  readonly hasTime: boolean
  /** What each line says besides; default: nothing. */
  readonly mixin?: (() => object) | undefined
}): Log {
  if (options.format === 'json') {
    const timestamp = pino.stdTimeFunctions.isoTime
    return pino({
      ...{ level: options.level, base: null, timestamp, formatters: { level: named } },
      ...(options.mixin && { mixin: options.mixin }),
      hooks: { streamWrite: escapedLine },
    })
  }
  const isColour = process.stdout.isTTY && process.env.NO_COLOR === undefined
  return pino(
    { level: options.level, base: null, timestamp: options.hasTime },
    pretty({
      sync: true,
      colorize: isColour,
      hideObject: true,
      translateTime: 'SYS:HH:MM:ss',
      customPrettifiers: {
        time: (time) => (typeof time === 'string' ? time : ''),
        level: (_value, _key, _log, { label, labelColorized }) =>
          isColour
            ? labelColorized.toLowerCase().replace(/\[(\d+)M/gi, '[$1m')
            : label.toLowerCase(),
      },
    }),
  )
}

/** A line of JSON that says the same in signs that no terminal acts on: JSON itself escapes only those of ASCII. */
export function escapedLine(line: string): string {
  return line.replaceAll(/(?!\n)[\p{C}\p{Zl}\p{Zp}]/gu, (sign) =>
    sign.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
}

const named = (level: string): { level: string } => ({ level })
