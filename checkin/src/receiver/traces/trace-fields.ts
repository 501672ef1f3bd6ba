/** The trace context of a request (W3C Trace Context), carried into the entry so that a consumer can link to it. */
import type { IncomingHttpHeaders } from 'node:http'
import type { ExtraFields } from 'millrace'

// Version 00 has these four parts; a later version may have more behind them.
const traceparent =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[!-~]*)?$/
const longest = 200

/** The fields that the entry gets beyond those of the check-in. A header that is not valid is ignored, as the standard says. */
export function traceFields(headers: IncomingHttpHeaders): ExtraFields | undefined {
  const { traceparent: given } = headers
  if (typeof given !== 'string' || given.length > longest) return undefined
  const match = traceparent.exec(given)
  if (match === null || (match[1] !== undefined && given.startsWith('00'))) return undefined
  return { traceparent: given }
}
