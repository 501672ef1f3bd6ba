import type { Millrace } from 'millrace'
import type { Wiring } from '../wiring.ts'

/** Says on stderr where a command is about to change something: the server without its password, stream and group. */
export function sayPlace(
  millrace: Pick<Millrace, 'url'>,
  { model, config }: Wiring,
  group: string = config.group,
): void {
  process.stderr.write(`At ${millrace.url}, stream "${model.checkins.key}", group "${group}":\n`)
}
