/** The service as its operator's commands see it: their defaults, their words, and what nobody else knows. */
import type { Service } from 'millrace-ops'
import { connectTo, readTls } from 'millrace-ops/command'
import { findingsOf } from './findings.ts'
import { ownKeys } from './own-keys.ts'
import type { Wiring } from '../wiring.ts'
import { words } from './words.ts'

export function operated({ model, config, connect, openLog }: Wiring): Service {
  return {
    program: 'npx checkin',
    stream: model.checkins.key,
    group: config.group,
    words,
    knowledge: {
      keys: ownKeys(model),
      readers: [
        {
          name: model.readerName,
          title: 'single processor',
          positionKey: model.positionKey,
          jsonName: 'singleProcessor',
        },
      ],
      examine: (millrace, group) => findingsOf(millrace, model, group),
    },
    connect: ({ url, log }) =>
      url === undefined ? connect(log) : connectTo({ url, tls: readTls(process.env, url), log }),
    openLog: () => openLog(),
  }
}
