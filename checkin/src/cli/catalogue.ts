/** All commands, by purpose: how the front door finds them and what its overview says. */
import { operatorCommands, type Service } from 'millrace-ops'
import type { Catalogue, Listed } from 'millrace-ops/command'
import type { Wiring } from '../wiring.ts'

/** An operator's command, with this service's stream and group as defaults. */
function ofService({ load, ...listed }: Listed<Service>): Listed<Wiring> {
  return {
    ...listed,
    load: async () => {
      const [{ command }, { operated }] = await Promise.all([
        load(),
        import('../operated/service.ts'),
      ])
      return { command: (wiring) => command(operated(wiring)) }
    },
  }
}

export const catalogue: Catalogue<Wiring> = {
  'Run the service:': [
    {
      name: 'start',
      summary: 'the whole service in one terminal',
      load: () => import('./start.ts'),
    },
    {
      name: 'redis',
      summary: 'the redis-server of this checkout alone',
      load: () => import('./redis.ts'),
    },
    {
      name: 'load',
      summary: 'put sample data, or data of a folder, into Redis',
      load: () => import('./load.ts'),
    },
    {
      name: 'receiver',
      alias: 'checkinreceiver',
      summary: 'take check-ins by HTTP',
      load: () => import('./checkinreceiver.ts'),
    },
    {
      name: 'group-processor',
      summary: 'process check-ins as one consumer of the group',
      load: () => import('./group-processor.ts'),
    },
    {
      name: 'checkingroupprocessor',
      summary: 'the same as an exercise: one check-in at a time, with pauses',
      load: () => import('./checkingroupprocessor.ts'),
    },
    {
      name: 'processor',
      alias: 'checkinprocessor',
      summary: 'process check-ins alone, without a group',
      load: () => import('./checkinprocessor.ts'),
    },
    {
      name: 'generator',
      alias: 'checkingenerator',
      summary: 'post random check-ins to the receiver',
      load: () => import('./checkingenerator.ts'),
    },
    {
      name: 'api-keys',
      summary: 'say who may use the receiver',
      load: () => import('./api-keys.ts'),
    },
  ],
  'Look at it:': operatorCommands.look.map(ofService),
  'Keep and repair it:': [
    ...operatorCommands.keep.map(ofService),
    {
      name: 'reindex',
      summary: 'build rankings and positions from the hashes',
      load: () => import('./reindex.ts'),
    },
  ],
}
