/** What is known from outside the system under test: what was sent, what the stream held, what was done when. */
import { fieldsOf, type Operation } from './operation.ts'

/** Something that no run may show. */
export interface Violation {
  readonly kind:
    | 'lost'
    | 'duplicated'
    | 'unexpected'
    | 'wrong'
    | 'innocent'
    | 'stuck'
    | 'overtaken'
    | 'half-applied'
    | 'moved-back'
    | 'unbalanced'
    | 'died'
  readonly what: string
  /** Ids of the entries, where known. */
  readonly ids: readonly string[]
}

export class History {
  readonly operations: Operation[] = []
  /** Entry id to operation, for every entry that the stream has held. */
  readonly entries = new Map<string, Operation>()
  readonly violations: Violation[] = []
  readonly timeline: string[] = []
  /** Called with each violation at once, in words. */
  onViolation: (text: string) => void = () => undefined
  readonly #startedAt = performance.now()
  readonly #idOf = new Map<number, string>()

  /** Milliseconds since the run began. */
  get now(): number {
    return Math.round(performance.now() - this.#startedAt)
  }

  note(text: string): void {
    this.timeline.push(`${(this.now / 1000).toFixed(3).padStart(9)} s  ${text}`)
  }

  violate(kind: Violation['kind'], what: string, ids: readonly string[] = []): void {
    this.violations.push({ kind, what, ids })
    this.onViolation(`${kind}: ${what}`)
    this.note(`VIOLATION ${kind}: ${what} ${ids.slice(0, 5).join(' ')}`)
  }

  /** An entry as the stream holds it; seen again, it changes nothing. */
  record(id: string, flat: readonly string[]): void {
    if (this.entries.has(id)) return
    const number = Number(flat[flat.indexOf('op') + 1])
    const operation = this.operations[number]
    if (operation === undefined || flat.join('\n') !== fieldsOf(operation).join('\n')) {
      this.violate('unexpected', 'an entry that nobody appended', [id])
      return
    }
    const before = this.#idOf.get(number)
    if (before !== undefined) {
      this.violate('duplicated', `operation ${number} is in the stream twice`, [before, id])
    }
    this.#idOf.set(number, id)
    this.entries.set(id, operation)
  }

  /** The id under which the stream held an operation. */
  idOf(operation: Operation): string | undefined {
    return this.#idOf.get(operation.number)
  }

  /**
   * The server came back from a loss of power without the entries after this id: what it lost, it has lost with
   * its effects. Called when everything that it has kept is recorded.
   */
  rollBack(lastId: string): number {
    for (const id of this.entries.keys()) {
      if (compareIds(id, lastId) <= 0) continue
      const number = this.entries.get(id)?.number ?? -1
      this.entries.delete(id)
      this.#idOf.delete(number)
    }
    const gone = this.operations.filter(
      (operation) => operation.outcome === 'ok' && this.idOf(operation) === undefined,
    )
    for (const operation of gone) operation.outcome = 'rolled-back'
    return gone.length
  }
}

/** Negative, 0 or positive, as for `sort`. Own, since the engine's is under test. */
export function compareIds(a: string, b: string): number {
  const [timeA = '0', sequenceA = '0'] = a.split('-')
  const [timeB = '0', sequenceB = '0'] = b.split('-')
  const byTime = BigInt(timeA) - BigInt(timeB)
  const difference = byTime === 0n ? BigInt(sequenceA) - BigInt(sequenceB) : byTime
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}
