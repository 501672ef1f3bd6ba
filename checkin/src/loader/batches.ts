import type { Millrace } from 'millrace'
import type { Reply } from 'millrace/operate'

/** Enough to hide the way to the server, and little enough for its memory and ours. */
const batchSize = 1000

/**
 * Sends one command for each item, pipelined in batches, and waits for all replies.
 * @param onReply gets them in the order of the items; what it throws ends the sending.
 * @throws {MillraceError} of the first command that failed; later ones of the same batch may have been done.
 */
export async function sendForEach<Item>(
  millrace: Millrace,
  items: readonly Item[],
  command: (item: Item) => readonly string[],
  onReply: (reply: Reply, item: Item) => void,
): Promise<void> {
  for (let from = 0; from < items.length; from += batchSize) {
    const batch = items.slice(from, from + batchSize)
    const replies = await Promise.all(
      batch.map(async (item) => ({ item, reply: await millrace.send(...command(item)) })),
    )
    for (const { reply, item } of replies) onReply(reply, item)
  }
}
