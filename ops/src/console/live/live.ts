/**
 * Tells all who look of each look at the server. Promise: the server is asked once for all of them, and not at all when nobody
 * looks.
 */
import type { Known, Snapshot, Snapshots } from '../../snapshot/index.ts'
import { History } from './history.ts'
import { viewOf } from './view.ts'
import type { GroupName, Trouble, View } from '../wire.ts'

export type LiveEvent =
  | { readonly kind: 'snapshot'; readonly view: View }
  | { readonly kind: 'trouble'; readonly trouble: Trouble }

export interface Watcher {
  /** Whose consumers it wants to see; undefined: those of the worst group. */
  readonly focus: GroupName | undefined
  /** Must not throw and must not wait. */
  tell(event: LiveEvent): void
}

/** Younger than this a snapshot is shown to whoever comes, in milliseconds. */
const freshMs = 1500

export class Live {
  readonly history: History = new History()
  readonly #snapshots: Pick<Snapshots, 'known' | 'take' | 'watch'>
  /** Tells the snapshots of this run from those of another one. */
  readonly #run = Date.now().toString(36)
  readonly #watchers = new Set<Watcher>()
  /** Of the newest snapshot, by the focus. */
  readonly #views = new Map<string, View>()
  #newest: Snapshot | undefined
  #count = 0
  #unwatch: (() => void) | undefined

  constructor(snapshots: Pick<Snapshots, 'known' | 'take' | 'watch'>) {
    this.#snapshots = snapshots
  }

  /** Tells it of the newest view at once if that is fresh, then of each one. @returns ends that. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher)
    const { snapshot, ageMs } = this.#snapshots.known
    if (snapshot !== null && (ageMs ?? Infinity) < freshMs)
      watcher.tell({ kind: 'snapshot', view: this.#view(snapshot, watcher.focus) })
    this.#unwatch ??= this.#snapshots.watch((known) => this.#told(known))
    return () => {
      this.#watchers.delete(watcher)
      if (this.#watchers.size === 0) this.stop()
    }
  }

  /** The newest view, asked for now unless it is fresh. @throws {MillraceError} */
  async view(focus: GroupName | undefined): Promise<View> {
    return this.#view(await this.#snapshots.take({ maxAgeMs: freshMs }), focus)
  }

  /** Asks no more, until somebody looks again. */
  stop(): void {
    this.#unwatch?.()
    this.#unwatch = undefined
  }

  #told({ snapshot, failure }: Known): void {
    if (failure !== null) {
      const trouble = { atMs: Date.now(), message: failure.message }
      for (const watcher of this.#watchers) watcher.tell({ kind: 'trouble', trouble })
    } else if (snapshot !== null) {
      for (const watcher of this.#watchers)
        watcher.tell({ kind: 'snapshot', view: this.#view(snapshot, watcher.focus) })
    }
  }

  #view(snapshot: Snapshot, focus: GroupName | undefined): View {
    if (snapshot !== this.#newest) {
      this.#newest = snapshot
      this.#count += 1
      this.#views.clear()
      this.history.note(this.#view(snapshot, undefined))
    }
    const key = JSON.stringify([focus?.stream, focus?.group])
    const known = this.#views.get(key)
    if (known !== undefined) return known
    const view = viewOf(`${this.#run}-${String(this.#count)}`, snapshot, focus)
    this.#views.set(key, view)
    return view
  }
}
