/** What is mutated, and which tests are held against it. */

/** A part of the product whose mutants are counted together. */
export interface Area {
  readonly name: string
  /** From the root of the checkout; `*` stands for any name. */
  readonly sources: readonly string[]
  /** Beginnings of the paths of the test files that are to kill its mutants. `--wide` adds all others. */
  readonly tests: readonly string[]
}

/** By room of `engine/src`. */
const inEngine = {
  // The way of an entry: read, in flight, handled, folded, gated; who may, and what happens when it goes wrong.
  consume: [
    'consumer',
    'consumer-parts',
    'delivery-reader',
    'intake',
    'push-down',
    'lease',
    'claimer',
    'pause',
  ],
  reader: ['reader', 'reader-position', 'decoded'],
  handle: [
    'past-deliveries',
    'read-ahead',
    'handler-pool',
    'key-order',
    'attempts',
    'handler-calls',
    'outcome',
    'retries',
    'retry-policy',
  ],
  apply: [
    'in-flight',
    'applier',
    'fold',
    'gate',
    'definition',
    'row-layout',
    'compile-*',
    'push-down-limits',
  ],
  operators: ['*'],
  declare: ['stream', 'plan'],
  support: ['lifetime', 'persist', 'pause-switch', 'backoff'],
  append: ['append', 'append-batch', 'replica-wait'],
  operate: ['roster', 'trim'],
  // The ledger: what must balance, and what repairs it.
  repair: ['accept-loss', 'balance', 'dead-letters', 'recovery', 'repair-lag'],
  redis: ['connection', 'error-replies', 'replies', 'blocking'],
  scripts: [
    'run-script',
    'append',
    'apply',
    'dead-letters',
    'group',
    'lease',
    'ledger',
    'recovery',
    'retries',
    'trim',
  ],
}

/** By room of `checkin/src/receiver`. */
const inReceiver = {
  access: [
    'guard',
    'identity',
    'key-ring',
    'rate-limit',
    'remote-keys',
    'shared-buckets',
    'signing-keys',
    'token-claims',
    'tokens',
  ],
  limits: ['before-body', 'bounded-calls'],
  ingest: ['idempotency-key'],
}

export const areas: readonly Area[] = [
  { name: 'lua', sources: ['engine/lua/*.lua', 'engine/lua/parts/*.lua'], tests: ['engine/test/'] },
  {
    name: 'engine',
    sources: sourcesOf('engine/src', inEngine),
    tests: ['engine/test/'],
  },
  {
    name: 'access',
    sources: [...sourcesOf('checkin/src/receiver', inReceiver), 'checkin/src/access/*.ts'],
    tests: ['checkin/test/receiver/', 'checkin/test/cli/api-keys'],
  },
]

function sourcesOf(folder: string, rooms: Readonly<Record<string, readonly string[]>>): string[] {
  return Object.entries(rooms).flatMap(([room, names]) =>
    names.map((name) => `${folder}/${room}/${name}.ts`),
  )
}
