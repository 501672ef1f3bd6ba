/** What a consumer is given where no types have looked at it, and of that what a reader is given, too. */
import type { ConsumerObserver, ConsumerOptions } from './consumer-options.ts'
import type { Fields } from '../declare/fields.ts'
import { checkKnown, unknownOption, type Names } from '../support/known-options.ts'

const consumerOptions: Names<ConsumerOptions<Fields>> = {
  projections: true,
  handler: true,
  concurrency: true,
  timeoutMs: true,
  deathsMax: true,
  attemptsMax: true,
  retry: true,
  orderBy: true,
  mode: true,
  batch: true,
  budgetMs: true,
  inHandMax: true,
  claimAfterMs: true,
  removeAfterMs: true,
  drain: true,
  observer: true,
}

const consumerObserver: Names<ConsumerObserver> = {
  started: true,
  delivered: true,
  applied: true,
  folded: true,
  tookEffect: true,
  handled: true,
  deadLettered: true,
  retried: true,
  superseded: true,
  waiting: true,
  paused: true,
}

/** @throws {TypeError} naming the option. */
export function checkConsumerGiven(options: object): void {
  const action = 'make a consumer'
  checkKnown(action, options, consumerOptions)
  const given = options as Readonly<Record<string, unknown>>
  for (const name of ['handler', 'retry', 'orderBy']) checkFunction(action, name, given[name])
  const { mode = 'auto', drain = false } = given
  if (!['auto', 'pull', 'push-down'].some((known) => known === mode)) {
    throw new TypeError(`Cannot ${action}: mode is auto, pull or push-down, not ${String(mode)}`)
  }
  if (typeof drain !== 'boolean') throw new TypeError(`Cannot ${action}: drain is true or false`)
  checkProjections(action, given.projections ?? [])
  checkObserver(action, given.observer, consumerObserver)
}

function checkFunction(action: string, name: string, given: unknown): void {
  if (given === undefined || typeof given === 'function') return
  throw new TypeError(`Cannot ${action}: ${name} is no function`)
}

export function checkProjections(action: string, given: unknown): void {
  const isDeclared = (one: unknown): boolean =>
    typeof one === 'object' && one !== null && 'template' in one && 'fields' in one
  if (Array.isArray(given) && given.every(isDeclared)) return
  throw new TypeError(`Cannot ${action}: projections is no list of what projection() returns`)
}

/**
 * What an object has besides functions may be of its own, and a class may have whatever methods it likes.
 * @throws {TypeError} naming the function.
 */
export function checkObserver(
  action: string,
  given: unknown,
  known: Readonly<Record<string, true>>,
): void {
  if (given === undefined) return
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(`Cannot ${action}: observer is no object`)
  }
  const observer = given as Readonly<Record<string, unknown>>
  for (const name of Object.keys(known)) checkFunction(action, `observer.${name}`, observer[name])
  if (Object.getPrototypeOf(observer) !== Object.prototype) return
  const functions = Object.entries(observer).filter(([, value]) => typeof value === 'function')
  const problem = unknownOption(Object.fromEntries(functions), known, 'observer.')
  if (problem !== undefined) throw new TypeError(`Cannot ${action}: ${problem}`)
}
