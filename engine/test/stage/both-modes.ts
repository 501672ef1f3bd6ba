/** The same tests for both ways in which a consumer without a handler takes entries: which one it takes is not seen from outside. */
import type { TestContext } from 'node:test'
import type { Consumer, ConsumerOptions } from 'millrace'
import { onEachServer, onOldestAndNewest, type Bench } from '../../../testing/on-each-server.ts'
import { startConsumer as startEither, type Fixture, type VisitFields } from './fixture.ts'

export const bothModes = ['pull', 'push-down'] as const

/** `startConsumer` of the fixture, in one mode. */
export type StartConsumer = (
  t: TestContext,
  fixture: Pick<Fixture, 'group' | 'guests' | 'rooms'>,
  name: string,
  options?: ConsumerOptions<VisitFields> & { readonly handler?: never; readonly mode?: never },
) => { consumer: Consumer<VisitFields>; ended: Promise<unknown> }

/**
 * Declares the same tests for both modes: push-down, where the servers do the work, on each kind of server, and pull on the oldest and
 * the newest.
 * @param suite its consumers are started by what it is given, in the mode that it is told.
 */
export function inBothModes(
  name: string,
  suite: (
    bench: () => Bench,
    startConsumer: StartConsumer,
    mode: (typeof bothModes)[number],
  ) => void,
  options: Parameters<typeof onEachServer>[2] = {},
): void {
  for (const mode of bothModes) {
    const startConsumer: StartConsumer = (t, fixture, consumer, given) =>
      startEither(t, fixture, consumer, { ...given, mode })
    const declare = mode === 'pull' ? onOldestAndNewest : onEachServer
    declare(`${name}, by ${mode}`, (bench) => suite(bench, startConsumer, mode), options)
  }
}
