/**
 * Who may look while nobody signs in: a browser of this machine, on a page of our own. A page of others that is open in the same
 * browser must not: neither by a name that it lets point to this machine (DNS rebinding), nor by asking across.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { isIPv4 } from 'node:net'

export interface Asked {
  readonly remoteAddress: string | undefined
  readonly headers: IncomingHttpHeaders
  /** Whether it asks for data, not for the page. */
  readonly isData: boolean
}

/** @returns why not; undefined when it may. */
export function whyNot({ remoteAddress, headers, isData }: Asked): string | undefined {
  if (!isLoopback(remoteAddress)) return 'The console answers this machine only.'
  const passedOn = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].find(
    (name) => headers[name] !== undefined,
  )
  if (passedOn !== undefined)
    return `The console answers this machine only, and a proxy has passed this on ("${passedOn}").`
  const host = headers.host ?? ''
  if (!isLoopbackName(host))
    return 'The console answers to localhost and to addresses of this machine only.'
  return isData ? whyNotAcross(headers, host) : undefined
}

function whyNotAcross(headers: IncomingHttpHeaders, host: string): string | undefined {
  const { origin } = headers
  const site = headers['sec-fetch-site']
  const isOwnSite = site === undefined || site === 'same-origin' || site === 'none'
  const isOwnOrigin =
    origin === undefined || origin === `http://${host}` || origin === `https://${host}`
  return isOwnSite && isOwnOrigin ? undefined : 'Only the pages of the console may ask for this.'
}

function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false
  const plain = address.replace(/^::ffff:/i, '')
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'))
}

/** Of a `Host` header, with or without its port. */
function isLoopbackName(host: string): boolean {
  const name = /^(\[[^\]]*\]|[^:]*)(?::\d{1,5})?$/.exec(host)?.[1]?.toLowerCase()
  if (name === 'localhost' || name === '[::1]') return true
  return name !== undefined && isIPv4(name) && name.startsWith('127.')
}

/** Whether a name to listen at is of this machine alone. */
export function isLoopbackHost(host: string): boolean {
  return isLoopbackName(host.includes(':') ? `[${host}]` : host)
}
