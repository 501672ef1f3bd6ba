/** The consumers of a run: real processes that are killed, frozen, stopped and replaced. */
import { runMain, runScript, type Ended, type MainProcess } from '../testing/processes.ts'
import { within } from '../testing/wait-for.ts'
import type { History } from './history.ts'

/** One consumer's process. */
export interface Member {
  readonly name: string
  readonly kind: MemberKind
  readonly process: MainProcess
}

/**
 * `processor`: the command of the service, with `--pull`, so that entries are pending for it. `pushing`: the command as it
 * is, which drains in the server. `handler`: the example with a handler that fails. `hanging`: with one that
 * never ends.
 */
export type MemberKind = 'processor' | 'pushing' | 'handler' | 'hanging'

export interface CrewParts {
  readonly url: string
  readonly history: History
  /** The checkout whose commands are run from their sources; undefined: this one, as it was built. */
  readonly root: string | undefined
  readonly claimAfterMs: number
  readonly batch: number
}

const outputMax = 4_000_000
const hireMaxMs = 30_000

export class Crew {
  readonly members: Member[] = []
  readonly #parts: CrewParts
  readonly #dismissed = new Set<MainProcess>()
  readonly #all: MainProcess[] = []
  #names = 0

  constructor(parts: CrewParts) {
    this.#parts = parts
  }

  /** A name that nobody has had. */
  newName(): string {
    this.#names += 1
    return `consumer${this.#names}`
  }

  /** Members that hold entries while they work. */
  get holding(): Member[] {
    return this.members.filter(({ kind }) => kind !== 'pushing')
  }

  /** Starts a consumer and adds it to the members; resolves when it works. A server that is away is waited for. */
  async hire(kind: MemberKind, name = this.newName()): Promise<Member> {
    const { history } = this.#parts
    for (const deadline = performance.now() + hireMaxMs; ;) {
      const started = this.#spawn(kind, name)
      this.#all.push(started)
      const isWorking = await started.waitForLine(/Starting up/, { timeoutMs: hireMaxMs }).then(
        () => true,
        () => false,
      )
      if (isWorking) {
        const member = { name, kind, process: started }
        this.members.push(member)
        void started.exited.then((ended) => this.#ended(member, ended))
        history.note(`${name} (${kind}, process ${started.pid}) works`)
        return member
      }
      started.kill('SIGKILL')
      const { stderr } = await started.exited
      const isAway =
        /Cannot connect|is the server running|LOADING|BUSY|Outcome unknown|does not answer|was lost/i.test(
          stderr,
        )
      if (!isAway || performance.now() > deadline) {
        throw new Error(`Consumer "${name}" did not start: ${stderr.slice(-1500)}`)
      }
    }
  }

  #ended(member: Member, { code, signal, stdout, stderr }: Ended): void {
    if (this.#dismissed.has(member.process)) return
    this.members.splice(this.members.indexOf(member), 1)
    const last = `${stdout.slice(-500)}\n${stderr.slice(-1500)}`
    const how = `${member.name} ended by itself (${String(signal ?? code)})`
    this.#parts.history.violate('died', `${how}: ${last}`)
  }

  #spawn(kind: MemberKind, name: string): MainProcess {
    const { url, root, claimAfterMs, batch } = this.#parts
    const flags = ['--batch', String(batch), '--claim-after', `${claimAfterMs}ms`]
    if (kind === 'processor' || kind === 'pushing') {
      if (kind === 'processor') flags.push('--pull')
      const env = { REDIS_URL: url, LOG_FORMAT: 'pretty' }
      return runMain(['group-processor', name, ...flags], { env, root })
    }
    const how = kind === 'hanging' ? ['hang'] : []
    const args = [url, name, String(batch), String(claimAfterMs), ...how]
    return runScript('chaos/handler-consumer.ts', args, { root })
  }

  /** What happens to it from now on is meant. It is no member any more. */
  dismiss(member: Member): void {
    this.#dismissed.add(member.process)
    const index = this.members.indexOf(member)
    if (index >= 0) this.members.splice(index, 1)
  }

  /** Ends a consumer by SIGKILL. */
  async kill(member: Member): Promise<void> {
    this.dismiss(member)
    member.process.kill('SIGKILL')
    await member.process.exited
    this.#parts.history.note(`${member.name} killed`)
  }

  /** Ends a consumer in order, and checks that it ends well. */
  async retire(member: Member): Promise<void> {
    const { history } = this.#parts
    this.dismiss(member)
    member.process.kill('SIGTERM')
    const ended = await within(member.process.exited, {
      what: `${member.name} to stop`,
      timeoutMs: 30_000,
    }).catch(() => undefined)
    if (ended?.code === 0) history.note(`${member.name} stopped`)
    else {
      const how = ended === undefined ? 'not at all' : `by ${String(ended.signal ?? ended.code)}`
      history.violate('died', `${member.name} was to stop and ended ${how}: ${ended?.stderr ?? ''}`)
      member.process.kill('SIGKILL')
    }
  }

  /** Everything that all consumers have printed. */
  get output(): string {
    return this.#all.map(({ stdout, stderr }) => (stdout + stderr).slice(-outputMax)).join('\n')
  }

  /** A sum over all consumers of a number in their lines. */
  sumOf(pattern: RegExp): number {
    return [...this.output.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0)
  }

  /** Ends all of them, however they are. */
  async close(): Promise<void> {
    for (const running of this.#all) {
      this.#dismissed.add(running)
      running.kill('SIGKILL')
    }
    await Promise.all(this.#all.map(({ exited }) => exited))
  }
}
