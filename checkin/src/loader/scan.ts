import type { Millrace } from 'millrace'

/** All keys of a type that match a pattern, page by page. A key may come twice. */
export async function* scan(
  millrace: Pick<Millrace, 'send'>,
  type: 'hash' | 'stream',
  pattern: string,
): AsyncGenerator<string[]> {
  let cursor = '0'
  do {
    const page = ['MATCH', pattern, 'COUNT', '1000', 'TYPE', type]
    const reply = await millrace.send('SCAN', cursor, ...page)
    const [next, keys] = Array.isArray(reply) ? reply : []
    yield Array.isArray(keys) ? keys.map(String) : []
    cursor = String(next)
  } while (cursor !== '0')
}

/** The hashes whose key is the prefix and an id, and nothing else below the prefix; page by page. */
export async function* scanIds(
  millrace: Pick<Millrace, 'send'>,
  prefix: string,
): AsyncGenerator<string[]> {
  for await (const keys of scan(millrace, 'hash', `${prefix}*`)) {
    yield keys.map((key) => key.slice(prefix.length)).filter((id) => /^[0-9]+$/.test(id))
  }
}
