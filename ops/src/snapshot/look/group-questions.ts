/** The questions about a group, each a command; undefined: not to be asked. */
import { compareIds, groupKeys, isName, type GroupKeys } from 'millrace/operate'
import type { Answer, Answers } from '../../asking/pipeline.ts'
import { numberIn } from '../../asking/replies.ts'
import type { ReadGroup, ReadStream } from './read-streams.ts'

/** A group of a stream. */
export interface Named {
  readonly stream: ReadStream
  readonly group: ReadGroup
}

const countsInLedger = ['applied', 'deadLettered', 'redriven', 'since', 'definition']

/** More consumers of a group are counted, and not listed: to list 10,000 takes 1 to 2 ms of the server, from Redis 7.0 to Valkey 9. */
export const consumersListed = 10_000
type FirstQuestion =
  'consumers' | 'pending' | 'next' | 'leases' | 'holders' | 'ledger' | 'letters' | 'alive'
export type First = Record<FirstQuestion, readonly string[] | undefined>
export type WorkAnswers = Answers<First> & { readonly letter: Answer | undefined }

export function firstQuestions({ stream, group }: Named, nowMs: number): First {
  const { key } = stream
  const { name, lastDeliveredId, pending, consumers } = group
  const isListed = consumers <= consumersListed
  return {
    consumers: consumers > 0 && isListed ? ['XINFO', 'CONSUMERS', key, name] : undefined,
    pending: pending > 0 ? ['XPENDING', key, name, '-', '+', '1'] : undefined,
    next: isAmid({ stream, group })
      ? ['XRANGE', key, `(${lastDeliveredId}`, '+', 'COUNT', '1']
      : undefined,
    ...(isName(name) ? ownQuestions(groupKeys(key, name), { isListed, nowMs }) : noQuestions),
  }
}

/** Whether something is there on both sides of what was delivered last. */
function isAmid({ stream, group }: Named): boolean {
  const { firstEntryId, lastEntryId } = stream
  if (firstEntryId === null || lastEntryId === null) return false
  const { lastDeliveredId } = group
  return (
    compareIds(lastDeliveredId, firstEntryId) >= 0 && compareIds(lastDeliveredId, lastEntryId) < 0
  )
}

type OwnQuestions = Omit<First, 'consumers' | 'pending' | 'next'>

/** About the keys of the engine. */
function ownQuestions(
  keys: GroupKeys,
  { isListed, nowMs }: { readonly isListed: boolean; readonly nowMs: number },
): OwnQuestions {
  return {
    leases: isListed ? ['ZRANGE', keys.leases, '0', '-1', 'WITHSCORES'] : undefined,
    holders: isListed ? ['HGETALL', keys.holders] : undefined,
    ledger: ['HMGET', keys.ledger, ...countsInLedger],
    letters: ['XLEN', keys.deadLetters],
    alive: isListed ? undefined : ['ZCOUNT', keys.leases, `(${nowMs}`, '+inf'],
  }
}

const noQuestions: OwnQuestions = {
  ...{ leases: undefined, holders: undefined, ledger: undefined },
  ...{ letters: undefined, alive: undefined },
}

export function secondQuestions(
  { stream, group }: Named,
  first: Answers<First> | undefined,
): { readonly letter: readonly string[] | undefined } {
  const hasLetters = (numberIn(first?.letters) ?? 0) > 0
  const key = groupKeys(stream.key, group.name).deadLetters
  return { letter: hasLetters ? ['XREVRANGE', key, '+', '-', 'COUNT', '1'] : undefined }
}
