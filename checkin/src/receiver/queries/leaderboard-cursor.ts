import type { RankingPlace } from 'millrace'

/** The place after which the next page of a leaderboard begins, as a text that clients give back as it is. */
export function encodeCursor(board: string, { score, member }: RankingPlace): string {
  return Buffer.from(`${board} ${score} ${member}`).toString('base64url')
}

/** Reads a cursor back; undefined when it is none, or of another leaderboard. */
export function decodeCursor(board: string, cursor: string): RankingPlace | undefined {
  const text = Buffer.from(cursor, 'base64url').toString()
  const [, of, score, member = ''] = /^(\S+) (-?\d{1,21}) (\d{1,16})$/.exec(text) ?? []
  if (of !== board) return undefined
  const place = { score: Number(score), member }
  // Only what `encodeCursor` writes: the decoder of Node skips what it does not know.
  return encodeCursor(board, place) === cursor ? place : undefined
}
