/** How bad it is: a promise is broken or will be; it may become so; worth knowing. */
export type Severity = 'problem' | 'warning' | 'info'

/** Something that the doctor has found. `Name`: of those that a file with checks tells. */
export interface Finding<Name extends string = string> {
  /** Names the check; stable, programs may compare it. */
  readonly check: Name
  readonly severity: Severity
  /** The present state, with numbers. */
  readonly what: string
  readonly why: string
  readonly remedy: string
}
