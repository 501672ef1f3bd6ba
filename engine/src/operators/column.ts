/**
 * What an operator is to those who fold. The operators of a projection become columns, and a hash is folded to a row: the
 * values of each column beside each other, in the same order in JavaScript and in Lua. Behind them stands, in Lua only, the
 * key of the hash, and then what the check of each column leaves for its write.
 */

import type { PlainStep, RefusalCode } from './plainly.ts'

/** What an operator sees of an entry: id and the values of its declared fields. */
export interface FoldedEntry {
  readonly id: string
  readonly values: Readonly<Record<string, number | string>>
}

/** Integers are numbers while these are exact, and beyond 2^53 decimal text. */
export type Row = (number | string)[]

/** A field of the entry that a field of the hash reads. */
export interface Reading {
  readonly field: string
  readonly of: string
  readonly as: 'integer' | 'text'
}

/** Positions in Lua tables, from 1. */
export interface Positions {
  /** In `row`: of the first value that the column folds. */
  readonly values: number
  /** In `row`: of the first value that its check leaves. */
  readonly left: number
  /** In `held`: of the first of its fetched fields. */
  readonly held: number
  /** In `constants`: of what the column needs there. */
  readonly constant: number
  /** In `row`, after the check: of the final value of any field of the hash. */
  readonly finalOf: (field: string) => number
}

/** How the fold of push-down writes what an entry holds, in Lua. */
export interface EntryInLua {
  readonly id: string
  /** A declared field as text. */
  readonly text: (name: string) => string
  /** A declared integer as a number. */
  readonly integer: (name: string) => string
  /** Whether no batch can sum this field up to 2^53. */
  readonly isSmall: (name: string) => boolean
}

/** What a column writes to the hash: always, or, when `ifLeft`, only where what its check left is true. */
export interface Written {
  readonly ifLeft: boolean
  readonly fields: readonly (readonly [field: string, position: number])[]
}

/**
 * One or more fields of a hash that are folded together. Every interpreter asks all columns of a plan and nothing else, so
 * an operator that answers here is folded by all of them.
 */
export interface Column {
  /** How many values of a row it folds. */
  readonly width: number
  /** How many values its check leaves in the row. */
  readonly leaves: number
  readonly readings: readonly Reading[]
  /** What decides its values, for the digest of a definition: one list for each field of the hash, and its order matters. */
  readonly definition: readonly (readonly unknown[])[]

  /** Pulling: adds its values to a row that begins with this entry. */
  begin(row: Row, entry: FoldedEntry): void
  /** Pulling: takes one more entry. `at`: position of its first value, from 0. */
  fold(row: Row, at: number, entry: FoldedEntry): void

  /** Push-down: an expression of Lua for each value, with which a row begins. */
  beginInLua(entry: EntryInLua): readonly string[]
  /** Push-down: statements that take one more entry, whose id is larger. `value`: the value at a position from 0. */
  foldInLua(value: (at: number) => string, entry: EntryInLua): readonly string[]
  /** Push-down: statements for each row once all entries were taken. */
  endInLua?(value: (at: number) => string): readonly string[]

  /** The fields of the hash that the check reads, as `held`; false stands there for a missing one. */
  readonly fetched: readonly string[]
  /** A table of Lua that the check finds in `constants`. */
  constant?(at: Positions): string
  /**
   * Statements of Lua that make the values of `row` final, or set `code`, and `field` where it is about one, and `break`.
   * They may use `row`, `held`, `constants`, the locals `have`, `value` and `win`, and what `lua/parts/integers.lua` defines.
   */
  check(at: Positions): string
  written(at: Positions): Written
  /** Position in `row` of the final value of a field that other operators and rankings may read; undefined for no such one. */
  finalAt(field: string, at: Pick<Positions, 'values' | 'left'>): number | undefined
}

/** Operators that become columns of one kind. */
export interface Family<Operator extends { readonly kind: string }> {
  /** Whether the final value of such a field is an integer that a ranking may follow. */
  readonly isRankable: boolean
  /**
   * What is wrong with a declaration that no types have looked at, to stand behind the name of its field; undefined for nothing.
   * @param given the parts of the operator.
   * @param kindOf the kind of another field of the same hash; undefined for none.
   */
  problem(
    given: Readonly<Record<string, unknown>>,
    kindOf: (field: string) => unknown,
  ): string | undefined
  /** The fields of the same hash that an operator reads when these are final. */
  operandsOf(operator: Operator): readonly string[]
  /**
   * The columns of all operators of this family in one projection.
   * @param declared fields of the hash with their operators, as they were declared.
   * @param isOperand whether an operator reads this field of the hash.
   */
  columnsOf(
    declared: readonly (readonly [field: string, operator: Operator])[],
    isOperand: (field: string) => boolean,
  ): readonly Column[]
  /**
   * The same a second time, in plain words, for the reference: takes one entry into all fields of this family in one hash.
   * What families before this one write stands there already.
   * @returns why the hash cannot take the entry: what is told of the first field, in their order, that cannot.
   */
  foldPlainly(
    step: PlainStep,
    declared: readonly (readonly [field: string, operator: Operator])[],
    isOperand: (field: string) => boolean,
  ): RefusalCode | undefined
  /**
   * One operator of each kind, for a projection that has a field of each kind's name: what the laws hold for.
   * @param number an integer field of the entry.
   * @param text a text field of it.
   */
  samples(
    number: string,
    text: string,
  ): { readonly [Kind in Operator['kind']]: Extract<Operator, { readonly kind: Kind }> }
}
