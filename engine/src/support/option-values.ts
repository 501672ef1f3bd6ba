/**
 * What options and arguments may be: where no types look at it, a wrong value means something else than what was meant
 * (`execute: 'no'` executed), so it is refused like a name that nobody knows. Undefined stands for the default, everywhere.
 */
import { isEntryId } from './entry-id.ts'
import { checkKnown } from './known-options.ts'
import { shown } from './shown.ts'

/** What a value has to be. */
export interface Rule {
  /** In words, behind "allowed is". */
  readonly allowed: string
  readonly isKind: (value: unknown) => boolean
  /** Asked of a value of the right kind. */
  readonly isInRange: (value: never) => boolean
  /** There is no default. */
  readonly isRequired?: boolean
}

/** Every option with what it may be: the compiler holds it complete. */
export type Rules<Options> = Readonly<Record<keyof Options, Rule>>

/**
 * Refuses an option that nobody knows, and a value that an option cannot have.
 * @param action what cannot be done then, like `make consumer "ada"`.
 * @throws {TypeError} naming the option; {RangeError} when it is of the right kind, like a number that is too large.
 */
export function checkOptions(
  action: string,
  options: unknown,
  rules: Readonly<Record<string, Rule>>,
): void {
  checkKnown(action, options, rules)
  const given = options as Readonly<Record<string, unknown>>
  // By the rules: also what an object of a class has from its class.
  for (const name in rules) {
    const rule = rules[name]
    if (rule !== undefined) checkValue(action, name, given[name], rule)
  }
}

/** @throws as {@link checkOptions}. */
export function checkValue(action: string, name: string, value: unknown, rule: Rule): void {
  if (value === undefined && rule.isRequired !== true) return
  const { allowed, isKind, isInRange } = rule
  const isOfKind = isKind(value)
  if (isOfKind && isInRange(value as never)) return
  const text = `Cannot ${action}: ${name} is ${shown(value)}, and allowed is ${allowed}`
  throw isOfKind ? new RangeError(text) : new TypeError(text)
}

/**
 * Refuses what a call does not take: `recover({ dryRun: true })` would recover.
 * @param rest what was given behind its last argument.
 * @throws {TypeError}
 */
export function checkNoMore(action: string, rest: readonly unknown[]): void {
  const given = rest.find((value) => value !== undefined)
  if (given === undefined) return
  throw new TypeError(`Cannot ${action}: ${shown(given)} is an argument more than it takes`)
}

function rule<Kind>(
  allowed: string,
  isKind: (value: unknown) => value is Kind,
  isInRange: (value: Kind) => boolean = () => true,
): Rule {
  return { allowed, isKind, isInRange }
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isNumber = (value: unknown): value is number => typeof value === 'number'
const isFunction = (value: unknown): value is CallableFunction => typeof value === 'function'
// A list, a Map or Headers holds nothing by name.
const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !(Symbol.iterator in value)

export const flag: Rule = rule('true or false', (value) => typeof value === 'boolean')
export const callback: Rule = rule('a function', isFunction)
export const anObject: Rule = rule('an object', isObject)
export const text: Rule = rule('well-formed text', isWellFormed)
export const nonEmpty: Rule = rule(
  'well-formed text that is not empty',
  (value): value is string => isWellFormed(value) && value !== '',
)
// Not by its class: one of another realm will do.
export const signal: Rule = rule(
  'an AbortSignal',
  (value): value is object => isObject(value) && 'aborted' in value && 'addEventListener' in value,
)
export const entryId: Rule = rule('an entry id, like 1740790744731-0', isText, isEntryId)

/** Text that the server keeps as it is. */
export function isWellFormed(value: unknown): value is string {
  // A lone surrogate changes when it is encoded, into the character that decode takes for lost bytes.
  return typeof value === 'string' && !/[\p{Surrogate}\uFFFD]/u.test(value)
}

/** One end of a range. */
export const placeId: Rule = rule(
  'an entry id, or its time (ms) as text',
  isText,
  (id) => isEntryId(id) || isEntryId(`${id}-0`),
)

/** What XADD takes as id: of the server, of the server within a millisecond, or in full. Anything else may be an option of it. */
export const newId: Rule = rule(
  'an entry id, * or a time with -*, like 1740790744731-*',
  isText,
  (id) => id === '*' || isEntryId(id.replace(/-\*$/, '-0')),
)

export function oneOf(...allowed: readonly (string | boolean)[]): Rule {
  const words = allowed.map((value) => shown(value)).join(' or ')
  return rule(words, (value): value is string => allowed.some((one) => one === value))
}

export function integerFrom(least: number, most: number = Number.MAX_SAFE_INTEGER): Rule {
  const isWithin = (value: number): boolean => value >= least && value <= most
  return rule(
    `an integer from ${least} to ${most}`,
    isNumber,
    (value) => Number.isSafeInteger(value) && isWithin(value),
  )
}

export const finite: Rule = rule('a finite number', isNumber, Number.isFinite)

/** Infinity is one, where `most` allows it. */
export function numberFrom(least: number, most: number): Rule {
  const allowed = `a number from ${least}${most === Infinity ? '' : ` to ${most}`}`
  return rule(allowed, isNumber, (value) => value >= least && value <= most)
}

export function listOf(one: Rule): Rule {
  // Not with `every`, which passes over holes.
  const hasOnly = (list: readonly unknown[], ask: (value: unknown) => boolean): boolean => {
    for (const value of list) if (!ask(value)) return false
    return true
  }
  return rule(
    `a list of ${one.allowed}`,
    (value): value is unknown[] => Array.isArray(value) && hasOnly(value, one.isKind),
    (list) => hasOnly(list, (value) => one.isInRange(value as never)),
  )
}

export function required(rule: Rule): Rule {
  return { ...rule, isRequired: true }
}

/** An object whose functions of these names are called; a class may have more of them, and not as its own. */
export function observerOf(...names: readonly string[]): Rule {
  const calls = (given: object, name: string): unknown => (given as Record<string, unknown>)[name]
  return rule(
    `an object with functions of the names ${names.join(', ')}`,
    (value): value is object =>
      isObject(value) &&
      names
        .map((name) => calls(value, name))
        .every((call) => call === undefined || isFunction(call)),
  )
}
