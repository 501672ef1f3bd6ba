/** What is mutated, and which tests are held against it. */

/** A part of the product whose mutants are counted together. */
export interface Area {
  readonly name: string
  /** From the root of the checkout; `*` stands for any name. */
  readonly sources: readonly string[]
  /** Beginnings of the paths of the test files that are to kill its mutants. `--wide` adds all others. */
  readonly tests: readonly string[]
}

const inEngine = [
  // The way of an entry: read, in hand, handled, combined, gated.
  ...['consumer', 'delivery-reader', 'intake', 'in-hand', 'lifetime', 'past-deliveries'],
  ...['read-ahead', 'handler-pool', 'handler-calls', 'outcome', 'applier', 'combine', 'effects'],
  ...['push-down', 'persist', 'stream', 'reader'],
  // Who may, and what happens when it goes wrong.
  ...['lease', 'claimer', 'roster', 'pause', 'pause-switch', 'retries', 'retry-policy', 'backoff'],
  // The ledger: what must balance, and what repairs it.
  ...['accept-loss', 'balance', 'dead-letters', 'definition', 'recovery', 'repair-lag', 'trim'],
  // What is compiled to Lua.
  ...['compile-decode', 'compile-fold', 'compile-plan', 'compile-push-down', 'plan'],
  ...['append-batch', 'replica-wait', 'redis/connection', 'redis/error-replies', 'redis/scripts'],
]

const inReceiver = [
  ...['before-body', 'bounded-calls', 'guard', 'idempotency-key', 'identity', 'key-ring'],
  ...['rate-limit', 'remote-keys', 'shared-buckets', 'signing-keys', 'token-claims', 'tokens'],
]

export const areas: readonly Area[] = [
  { name: 'lua', sources: ['engine/lua/*.lua'], tests: ['engine/test/'] },
  {
    name: 'engine',
    sources: inEngine.map((name) => `engine/src/${name}.ts`),
    tests: ['engine/test/'],
  },
  {
    name: 'access',
    sources: [
      ...inReceiver.map((name) => `checkin/src/receiver/${name}.ts`),
      'checkin/src/access/*.ts',
    ],
    tests: ['checkin/test/receiver', 'checkin/test/api-keys'],
  },
]
