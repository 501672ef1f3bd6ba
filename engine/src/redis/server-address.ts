/**
 * What the URL of a server says. Promise: it is read here and nowhere else, completely or not at all, and nothing that
 * is thrown or shown holds a password.
 */
import { isIPv6 } from 'node:net'

/** Where a server listens, and as whom to speak to it. */
export interface ServerAddress {
  readonly place:
    | { readonly kind: 'tcp' | 'tls'; readonly host: string; readonly port: number }
    | { readonly kind: 'unix'; readonly path: string }
  readonly username: string | undefined
  readonly password: string | undefined
  readonly database: number
  /** The URL for people: without its password, and without a user that stands alone, as it may be a token. */
  readonly shown: string
}

const kinds = { 'redis://': 'tcp', 'rediss://': 'tls', 'unix://': 'unix' } as const
const defaultPort = 6379
const form = 'Write it like redis://user:password@host:6379/0, rediss://... or unix:///path.sock'
const escapeRemedy =
  'Percent-encode what is special in user and password: "/" is %2F, "?" %3F, "#" %23, "@" %40, ":" %3A, "%" %25'

/**
 * Reads `redis://user:password@host:6379/0`, `rediss://` (TLS) or `unix:///path.sock?db=0`; user, password, port (6379)
 * and database (0) may be missing. White space around it is ignored.
 * @throws {TypeError} naming the part that cannot be used, and never its value.
 */
export function readAddress(url: unknown): ServerAddress {
  const text = textOf(url)
  const { scheme, kind, authority, path, query } = partsOf(text)
  const at = authority.lastIndexOf('@')
  const user = userOf(authority.slice(0, at + 1))
  const rest = authority.slice(at + 1)
  const where =
    kind === 'unix'
      ? socketOf(rest, path, query)
      : { ...hostOf(kind, rest), ...databaseOf(path, query) }
  const shown = `${scheme}${user.shown}${rest}${path}${query}`
  return { ...where, username: user.username, password: user.password, shown }
}

/**
 * The URL of a server as messages may show it: without its password or token. For those who check it before they connect.
 * @throws {TypeError} when {@link connect} would refuse it, naming the part, and never its value.
 */
export function shownUrl(url: string): string {
  return readAddress(url).shown
}

function textOf(url: unknown): string {
  if (typeof url !== 'string') {
    throw refused(`url is ${url === undefined ? 'missing' : 'no text'}`, form)
  }
  const text = url.trim()
  if (text === '') throw refused('url is empty', form)
  // A control character is a slip of whoever wrote the variable, and breaks logs.
  if (/[\s\p{Cc}]/u.test(text)) throw refused('url holds white space', escapeRemedy)
  return text
}

interface Parts {
  readonly scheme: string
  readonly kind: ServerAddress['place']['kind']
  readonly authority: string
  readonly path: string
  readonly query: string
}

function partsOf(text: string): Parts {
  const scheme = (/^[a-z]+:\/\//i.exec(text)?.[0] ?? '').toLowerCase()
  const kind = Object.hasOwn(kinds, scheme) ? kinds[scheme as keyof typeof kinds] : undefined
  if (kind === undefined)
    throw refused('url begins with none of redis://, rediss:// and unix://', form)
  const behind = text.slice(scheme.length)
  const authority = /^[^/?#]*/.exec(behind)?.[0] ?? ''
  const rest = behind.slice(authority.length)
  // What a special character of the password has cut off: no path or query has an "@".
  if (rest.includes('@')) throw refused('what follows the host in url holds an "@"', escapeRemedy)
  if (rest.includes('#')) throw refused('url has a fragment (#...)', escapeRemedy)
  const path = /^[^?]*/.exec(rest)?.[0] ?? ''
  return { scheme, kind, authority, path, query: rest.slice(path.length) }
}

/** Of `user:password@`, `user@` or nothing. */
function userOf(text: string): Pick<ServerAddress, 'username' | 'password' | 'shown'> {
  if (text === '') return { username: undefined, password: undefined, shown: '' }
  const colon = text.indexOf(':')
  const name = colon < 0 ? text.slice(0, -1) : text.slice(0, colon)
  const password = colon < 0 ? '' : decoded('the password', text.slice(colon + 1, -1))
  return {
    username: decoded('the user', name) || undefined,
    password: password || undefined,
    shown: password === '' ? '***@' : `${name}:***@`,
  }
}

function hostOf(kind: 'tcp' | 'tls', text: string): Pick<ServerAddress, 'place'> {
  const [, bracketed, name = '', , port = ''] =
    /^(?:\[([^\]]*)\]|([^:[\]]*))(:(.*))?$/.exec(text) ?? []
  const host = bracketed ?? name
  if (text === '' || text.startsWith(':')) throw refused('url names no host', form)
  const isHost = bracketed === undefined ? /^[^%,;<>\\^|"`{}]+$/.test(name) : isIPv6(bracketed)
  if (!isHost) throw refused('the host in url is none. An IPv6 address stands in brackets', form)
  return { place: { kind, host, port: portNumber(port) } }
}

function portNumber(text: string): number {
  const port = text === '' ? defaultPort : Number(text)
  if (/^\d{0,5}$/.test(text) && port >= 1 && port <= 65535) return port
  throw refused('the port in url is none from 1 to 65535', escapeRemedy)
}

function databaseOf(path: string, query: string): Pick<ServerAddress, 'database'> {
  if (query !== '') {
    throw refused(
      `url has a query${named(query)}, which is not used here`,
      'The database is its path (redis://host:6379/2), user and password stand before the host',
    )
  }
  return { database: databaseNumber('the path of url', path.slice(1)) }
}

function socketOf(
  host: string,
  path: string,
  query: string,
): Pick<ServerAddress, 'place' | 'database'> {
  const remedy = 'Write it like unix:///run/redis.sock?db=0, with three slashes'
  if (host !== '') throw refused('url names a host before the path of the socket', remedy)
  if (path.length < 2) throw refused('url names no socket', remedy)
  const [, database] = /^\?db=(.*)$/s.exec(query) ?? []
  if (query !== '' && database === undefined) {
    throw refused(`url has a query${named(query)} that is not only "db"`, remedy)
  }
  return {
    place: { kind: 'unix', path: decoded('the path', path) },
    database: databaseNumber('"db" of url', database ?? ''),
  }
}

/** The names in a query, where they are plain words: anything else may be a part of a password. */
function named(query: string): string {
  const names = query
    .slice(1)
    .split('&')
    .map((pair) => /^(\w+)=/.exec(pair)?.[1])
  return names.every((name) => name !== undefined) ? ` ("${names.join('", "')}")` : ''
}

function databaseNumber(what: string, text: string): number {
  if (/^\d{0,9}$/.test(text)) return Number(text)
  throw refused(`${what} is no number of a database`, 'Write it like redis://host:6379/2')
}

function decoded(what: string, text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // Its own error names neither the part nor a remedy.
    throw refused(`${what} in url holds a "%" that begins no escape`, escapeRemedy)
  }
}

function refused(state: string, remedy: string): TypeError {
  return new TypeError(`Cannot connect: ${state}. ${remedy}`)
}
