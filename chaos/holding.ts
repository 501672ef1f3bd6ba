import { setTimeout as delay } from 'node:timers/promises'
import type { Member } from './crew.ts'
import type { Scene } from './scene.ts'

const tryForMs = 4000

/**
 * Freezes a consumer at a moment when it holds delivered entries, and so when it is at work.
 * @returns how many; 0 when it held none at any look for four seconds. It is frozen in either case.
 */
export async function freezeHolding(scene: Scene, member: Member): Promise<number> {
  const deadline = performance.now() + tryForMs
  for (;;) {
    member.process.kill('SIGSTOP')
    const held = await scene.pendingOf(member.name)
    if (held > 0 || performance.now() > deadline) {
      scene.history.note(`${member.name} frozen with ${held} entries`)
      return held
    }
    member.process.kill('SIGCONT')
    await delay(2)
  }
}

/** Waits until the condition holds; says whether it did in time. Errors that pass are waited out. */
export async function cameTrue(
  scene: Scene,
  timeoutMs: number,
  condition: () => boolean | Promise<boolean>,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (performance.now() < deadline) {
    if (await scene.untilPassed(async () => await condition())) return true
    await delay(20)
  }
  return false
}
