import type { TestContext } from 'node:test'

/** Gives a test so many seconds from now on, where the limit of all is too short for it, or too long. */
export function mayTake(t: TestContext, seconds: number): void
