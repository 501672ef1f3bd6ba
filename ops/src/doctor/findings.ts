/** All that the doctor may find: its reference is made of this. */
import { foreignFindings } from './foreign-checks.ts'
import { groupFindings } from './group-checks.ts'
import { serverFindings } from './server-checks.ts'
import { workFindings } from './work-checks.ts'
import { hiddenFindings } from './doctor.ts'

/** What each says, by the name of its check, and what it is about. */
export const findings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  server: serverFindings,
  'stream and group': groupFindings,
  work: workFindings,
  'groups of others': foreignFindings,
  'what cannot be read': hiddenFindings,
}
