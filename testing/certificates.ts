/** Certificates for tests of TLS, made by openssl. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeAtExit } from './clean-up-at-exit.ts'

/** Files of a certificate, and what they hold. */
interface Certificate {
  readonly certFile: string
  readonly keyFile: string
  readonly cert: string
  readonly key: string
}

/** An authority of our own, a server's certificate for `localhost`, a client's, and a client's of another authority. */
export interface Certificates {
  readonly authority: Certificate
  readonly server: Certificate
  readonly client: Certificate
  readonly stranger: Certificate
}

/** For the option `skip` of a test: false when certificates can be made, else why not. */
export function whyNoCertificates(): string | false {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return false
  } catch {
    return 'not run: there is no openssl here'
  }
}

/** Makes them in a folder that is gone with the test process. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'))
  removeAtExit(folder)
  const authority = selfSigned(folder, 'authority')
  return {
    authority,
    server: signed(folder, 'server', authority, 'subjectAltName=DNS:localhost'),
    client: signed(folder, 'client', authority, 'subjectAltName=DNS:client'),
    stranger: selfSigned(folder, 'stranger'),
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' })
}

function filesOf(folder: string, name: string): { certFile: string; keyFile: string } {
  return { certFile: join(folder, `${name}.pem`), keyFile: join(folder, `${name}.key`) }
}

function read({ certFile, keyFile }: { certFile: string; keyFile: string }): Certificate {
  const [cert, key] = [readFileSync(certFile, 'utf8'), readFileSync(keyFile, 'utf8')]
  return { certFile, keyFile, cert, key }
}

function selfSigned(folder: string, name: string): Certificate {
  const files = filesOf(folder, name)
  const out = ['-keyout', files.keyFile, '-out', files.certFile]
  openssl('req', '-x509', ...newKey, ...out, '-days', '2', '-subj', `/CN=${name}`)
  return read(files)
}

function signed(folder: string, name: string, by: Certificate, extension: string): Certificate {
  const files = filesOf(folder, name)
  const [request, extensions] = [join(folder, `${name}.csr`), join(folder, `${name}.ext`)]
  writeFileSync(extensions, extension)
  openssl('req', ...newKey, '-keyout', files.keyFile, '-out', request, '-subj', `/CN=${name}`)
  const signer = ['-CA', by.certFile, '-CAkey', by.keyFile, '-CAcreateserial']
  const out = ['-out', files.certFile, '-days', '2', '-extfile', extensions]
  openssl('x509', '-req', '-in', request, ...signer, ...out)
  return read(files)
}
