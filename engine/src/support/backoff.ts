/**
 * How long to wait before a next attempt: doubling from `firstMs` up to `mostMs`, with full jitter on its upper half,
 * so that many clients do not come back in step.
 * @param attempt 0 for the first wait.
 */
export function backoffMs(
  attempt: number,
  options: { readonly firstMs: number; readonly mostMs: number },
): number {
  const bound = Math.min(options.mostMs, options.firstMs * 2 ** Math.min(attempt, 30))
  return Math.round(bound / 2 + Math.random() * (bound / 2))
}
