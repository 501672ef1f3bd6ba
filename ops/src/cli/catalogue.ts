/** The operator's commands, by purpose. Each is loaded when it is called: that is what makes the others quick. */
import type { Listed } from '../command/run.ts'
import type { Service } from '../service.ts'

/** For a service to add its own commands to. */
export const operatorCommands: Readonly<Record<'look' | 'keep', readonly Listed<Service>[]>> = {
  look: [
    {
      name: 'top',
      summary: 'all of it live, on one screen, the worst first',
      load: () => import('./lasting/top.ts'),
    },
    {
      name: 'groups',
      summary: 'groups, consumers and what is pending; create, pause or resume the group',
      load: () => import('./groups.ts'),
    },
    {
      name: 'consumers',
      summary: 'who is alive; remove, pause or resume a consumer',
      load: () => import('./consumers.ts'),
    },
    {
      name: 'pending',
      summary: 'what is delivered and not acknowledged, with what stands in it',
      load: () => import('./pending.ts'),
    },
    {
      name: 'dead-letters',
      summary: 'what could not be processed; redrive or purge it',
      load: () => import('./dead-letters.ts'),
    },
    {
      name: 'check',
      summary: 'groups against thresholds: one line and an exit code for monitoring',
      failureCode: 3,
      load: () => import('./check.ts'),
    },
    {
      name: 'doctor',
      summary: 'what is wrong, why it matters, and what helps',
      load: () => import('./doctor.ts'),
    },
    {
      name: 'console',
      summary: 'a live page in the browser: streams, groups, entries, dead letters',
      load: () => import('./lasting/console.ts'),
    },
    {
      name: 'exporter',
      summary: 'metrics of all streams and groups, for Prometheus',
      load: () => import('./lasting/exporter.ts'),
    },
  ],
  keep: [
    {
      name: 'pause',
      summary: 'pause the group, or one consumer',
      load: () => import('./pause.ts'),
    },
    {
      name: 'resume',
      summary: 'end the pause of the group, or of one consumer',
      load: () => import('./resume.ts'),
    },
    {
      name: 'trim',
      summary: 'remove entries that every group has processed',
      load: () => import('./trim.ts'),
    },
    {
      name: 'recover',
      summary: 'bring back a group that was lost or moved',
      load: () => import('./recover.ts'),
    },
  ],
}
