/** The handler of the benchmarks: it does nothing, or waits as for an answer from elsewhere. */
export function handlerOf(waitMs: number): () => Promise<void> | undefined {
  if (waitMs === 0) return () => undefined
  // A plain timer: the one of timers/promises costs several times as much.
  return () => new Promise((resolve) => void setTimeout(resolve, waitMs))
}

/** Calls `task` for all items, at most `concurrency` at a time. Resolves when all are done. */
export async function eachOf<Item>(
  items: readonly Item[],
  concurrency: number,
  task: (item: Item) => Promise<unknown> | undefined,
): Promise<void> {
  const rest = items.values()
  const lane = async (): Promise<void> => {
    for (const item of rest) await task(item)
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, lane))
}
