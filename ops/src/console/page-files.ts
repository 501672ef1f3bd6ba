/** The built page, read once: an address is looked up among its files, so that none leads out of them. */
import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { gzipSync } from 'node:zlib'

export interface PageFile {
  readonly type: string
  readonly plain: Buffer
  readonly gzipped: Buffer
}

export interface PageFiles {
  /** The page for addresses of the console, with its own files at `prefix`. */
  readonly page: PageFile
  /** By name; the names change with what is in them. */
  readonly assets: ReadonlyMap<string, PageFile>
}

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

const built = new URL('../../dist/page/', import.meta.url)

/**
 * @param prefix where the console is mounted, without a slash at its end
 * @throws {Error} when the page was not built.
 */
export function readPage(prefix: string): PageFiles {
  const names = namesIn(new URL('assets/', built))
  const html = readFileSync(new URL('index.html', built), 'utf8')
    .replaceAll('"./assets/', `"${prefix}/assets/`)
    .replace('content="."', `content="${prefix}"`)
  return {
    page: fileOf('.html', Buffer.from(html)),
    assets: new Map(
      names.map((name) => [
        name,
        fileOf(extname(name), readFileSync(new URL(`assets/${name}`, built))),
      ]),
    ),
  }
}

function namesIn(folder: URL): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    throw new Error('Cannot show the console: its page is not built. Run "npm run build"', {
      cause: error,
    })
  }
}

function fileOf(extension: string, plain: Buffer): PageFile {
  const type = types[extension] ?? 'application/octet-stream'
  return { type, plain, gzipped: gzipSync(plain) }
}
