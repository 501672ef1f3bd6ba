/** Tells a process from others that have its number: across restarts of the machine, in other containers, later on. */
import { readFileSync, readlinkSync } from 'node:fs'

/** Empty strings where the system does not tell (no /proc): then nobody can say that the process is gone. */
export interface ProcessIdentity {
  readonly pid: number
  /** Of this start of the machine. */
  readonly boot: string
  /** In which the number means this process. */
  readonly namespace: string
  /** Start of the process, in ticks since the boot. */
  readonly startedAt: string
}

export function thisProcess(): ProcessIdentity {
  return {
    pid: process.pid,
    boot: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    namespace: attempt(() => readlinkSync('/proc/self/ns/pid')),
    startedAt: startOf(process.pid),
  }
}

/** True only when it is certain that the process does not run any more. */
export function isGone(other: ProcessIdentity): boolean {
  const { boot, namespace } = thisProcess()
  if (boot === '' || namespace === '' || other.boot !== boot || other.namespace !== namespace) {
    return false
  }
  return other.startedAt !== '' && startOf(other.pid) !== other.startedAt
}

/** Empty when there is no such process, or only its remains, which its parent has not collected yet. */
function startOf(pid: number): string {
  // "pid (name) state ... start": the name may hold spaces and parentheses, so count from its end.
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? '' : (fields[19] ?? '')
}

function attempt(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}
