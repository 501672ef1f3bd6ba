/** How bad it is: a promise is broken or will be; it may become so; worth knowing. */
export type Severity = 'problem' | 'warning' | 'info'

/** Something that the doctor has found. */
export interface Finding {
  /** Names the check; stable, programs may compare it. */
  readonly check: string
  readonly severity: Severity
  /** The present state, with numbers. */
  readonly what: string
  readonly why: string
  readonly remedy: string
}
