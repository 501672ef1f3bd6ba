/** What TLS is given besides the URL. Promise: what cannot be used is refused by name before anything connects. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { unknownOption, type Names } from '../support/known-options.ts'

/** One text in PEM form, or several of them in a list. */
export type Pem = string | Uint8Array | readonly (string | Uint8Array)[]

/** For a server whose certificate is signed by an authority of one's own, or that asks for a certificate. */
export interface TlsOptions {
  /** Certificates of the authorities to trust, instead of the well-known ones. */
  readonly ca?: Pem | undefined
  /** Our own certificate with what signed it, for a server that asks for one; it needs `key`. */
  readonly cert?: Pem | undefined
  /** The private key of `cert`, without a passphrase. */
  readonly key?: string | Uint8Array | undefined
  /** The name that the server's certificate must have; default: the host of the URL. */
  readonly servername?: string | undefined
}

/** What messages call the parts of {@link TlsOptions}: where the users of a program give them. */
export type TlsNames = Readonly<Record<keyof TlsOptions, string>>

/** Where nothing else was said. */
export const ownNames: TlsNames = {
  ca: 'tls.ca',
  cert: 'tls.cert',
  key: 'tls.key',
  servername: 'tls.servername',
}

const known: Names<TlsOptions> = {
  ca: true,
  cert: true,
  key: true,
  servername: true,
}

/** @throws {TypeError} naming the option that cannot be used; it holds no part of a key. */
export function checkTls(tls: TlsOptions, names: TlsNames): void {
  const problem = unknownOption(tls, known, 'tls.')
  if (problem !== undefined) throw new TypeError(`Cannot connect: ${problem}`)
  for (const name of ['ca', 'cert'] as const) checkCertificates(names[name], tls[name])
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    const [given, missing] =
      tls.cert === undefined ? [names.key, names.cert] : [names.cert, names.key]
    throw refused(given, `is given without ${missing}. Give both`)
  }
  if (tls.cert !== undefined && tls.key !== undefined) checkKey(first(tls.cert), tls.key, names)
  const { servername } = tls
  if (servername === undefined || (typeof servername === 'string' && servername !== '')) return
  throw refused(names.servername, 'is no name of a server')
}

function checkCertificates(name: string, pem: Pem | undefined): void {
  if (pem === undefined) return
  const texts = isList(pem) ? pem : [pem]
  const isWrong = texts.length === 0 || texts.some((text) => certificate(text) === undefined)
  if (isWrong) throw refused(name, `holds no certificate ${inPem}`)
}

function checkKey(
  cert: string | Uint8Array | undefined,
  key: string | Uint8Array,
  names: TlsNames,
): void {
  const own = cert === undefined ? undefined : certificate(cert)
  let isPair: boolean
  try {
    isPair = own?.checkPrivateKey(createPrivateKey(Buffer.from(key as Uint8Array))) === true
  } catch {
    // The text of OpenSSL says nothing to anybody.
    throw refused(names.key, `holds no private key without a passphrase ${inPem}`)
  }
  if (!isPair) throw refused(names.key, `belongs to another certificate than ${names.cert}`)
}

const inPem = 'in PEM form ("-----BEGIN ...")'

function certificate(text: string | Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(text)
  } catch {
    return undefined
  }
}

const isList = (pem: Pem): pem is readonly (string | Uint8Array)[] => Array.isArray(pem)

const first = (pem: Pem): string | Uint8Array | undefined => (isList(pem) ? pem[0] : pem)

function refused(what: string, state: string): TypeError {
  return new TypeError(`Cannot connect: ${what} ${state}`)
}
