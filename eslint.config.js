import js from '@eslint/js'
import importX from 'eslint-plugin-import-x'
import tseslint from 'typescript-eslint'

/**
 * The rooms of the engine, and which others each may import from, types included. What is in none of them is the front
 * door (`index.ts`, `otel.ts`, `millrace.ts`, `group.ts`), from which no room imports.
 */
const engineRooms = {
  support: [],
  operators: ['support'],
  declare: ['support', 'operators'],
  trace: [],
  redis: ['support', 'trace'],
  scripts: ['support', 'redis'],
  apply: ['support', 'operators', 'declare', 'redis', 'scripts', 'trace'],
  append: ['support', 'declare', 'redis', 'scripts', 'trace'],
  handle: ['support', 'declare', 'redis', 'scripts', 'apply', 'trace'],
  consume: ['support', 'declare', 'redis', 'scripts', 'apply', 'handle', 'trace'],
  reader: ['support', 'declare', 'redis', 'scripts', 'apply', 'consume', 'trace'],
  operate: ['support', 'declare', 'redis', 'scripts', 'apply', 'consume'],
  repair: ['support', 'declare', 'redis', 'scripts', 'apply', 'consume'],
  otel: ['support', 'trace'],
}

/** The rooms of the receiver; `receiver.ts` and `routes.ts` put them together. */
const receiverRooms = {
  http: [],
  traces: [],
  metrics: ['http'],
  limits: ['http'],
  access: ['http', 'metrics'],
  operation: ['http', 'traces', 'metrics', 'limits', 'access'],
  queries: ['http', 'limits', 'access'],
  ingest: ['http', 'traces', 'metrics', 'limits', 'access', 'operation'],
}

/** The rooms of the operator's commands; `main.ts` and `index.ts` are their front doors. */
const opsRooms = {
  terminal: [],
  completion: [],
  command: ['terminal', 'completion'],
  place: ['terminal', 'command', 'service.ts'],
  asking: [],
  snapshot: ['terminal', 'place', 'asking'],
  check: ['terminal', 'snapshot'],
  groups: ['terminal', 'place', 'snapshot', 'service.ts'],
  'dead-letters': ['terminal', 'command', 'place'],
  metrics: ['command', 'snapshot', 'version.ts'],
  retention: ['terminal', 'command', 'place', 'metrics'],
  recovery: ['terminal', 'place', 'service.ts'],
  doctor: ['terminal', 'place', 'snapshot', 'groups', 'service.ts'],
  console: ['command', 'place', 'snapshot', 'groups', 'doctor', 'service.ts', 'version.ts'],
  top: ['terminal', 'snapshot', 'groups'],
  cli: [
    ...[
      'terminal',
      'command',
      'place',
      'snapshot',
      'check',
      'groups',
      'console',
      'dead-letters',
      'metrics',
      'retention',
      'recovery',
      'doctor',
      'top',
    ],
    ...['service.ts', 'stop.ts'],
  ],
}

/** The rooms of the console's page; `main.tsx` begins it. */
const pageRooms = {
  words: [],
  live: [],
  reader: ['words', 'live'],
  parts: ['words', 'live', 'reader'],
  pages: ['words', 'live', 'reader', 'parts'],
  frame: ['words', 'live', 'reader', 'parts', 'pages'],
}

function oneWay(folder, rooms) {
  const zones = Object.entries(rooms).map(([room, below]) => ({
    target: `./${folder}/${room}`,
    from: `./${folder}`,
    except: [room, ...below].map((name) => `./${name}`),
    message: `${folder}/${room} imports only ${below.length === 0 ? 'itself' : `from ${below.join(', ')}`}`,
  }))
  return {
    files: [`${folder}/**/*.ts`, `${folder}/**/*.tsx`],
    rules: {
      'import-x/no-restricted-paths': ['error', { basePath: import.meta.dirname, zones }],
    },
  }
}

/** Refuses imports that leave the allowed direction; ARCHITECTURE.md draws the arrows. */
const noImportOf = (group, message, ...others) => ({
  'no-restricted-imports': ['error', { patterns: [{ group, message }, ...others] }],
})

// Of two settings of a rule for a file the later one counts, so each names all that it forbids.
const noClient = {
  regex: '^(redis|@redis/.*)$',
  message: 'only engine/src/redis knows the Redis client',
}
const noTelemetry = {
  regex: '^@opentelemetry/',
  message: 'only engine/src/otel knows OpenTelemetry: nothing else may load it',
}
const noRawScripts = {
  regex: '/(run-script|lua-parts)\\.ts$',
  message:
    'KEYS, ARGV and the reply of a script are known by its typed function in engine/src/scripts',
}

export default tseslint.config(
  { ignores: ['**/dist/', '**/node_modules/', '.millrace/', '.cache/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        project: [
          './engine/tsconfig.json',
          './ops/tsconfig.json',
          './ops/page/tsconfig.json',
          './checkin/tsconfig.json',
          './tsconfig.test.json',
        ],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: true },
      ],
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      complexity: ['error', 12],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: false },
      ],
    },
  },
  {
    files: ['**/*.ts', '**/*.tsx'],
    plugins: { 'import-x': importX },
    settings: {
      'import-x/extensions': ['.ts', '.tsx'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts', '.tsx'] },
      'import-x/resolver-next': [
        importX.createNodeResolver({ extensions: ['.ts', '.tsx', '.js', '.mjs'] }),
      ],
    },
    rules: { 'import-x/no-cycle': ['error', { ignoreExternal: true }] },
  },
  oneWay('engine/src', engineRooms),
  oneWay('ops/src', opsRooms),
  oneWay('ops/page/src', pageRooms),
  oneWay('checkin/src/receiver', receiverRooms),
  {
    files: [
      '**/test/**/*.ts',
      '**/bench/**/*.ts',
      '**/chaos/**/*.ts',
      'testing/**/*.ts',
      'mutants/**/*.ts',
    ],
    rules: {
      // node:test's `test` and `describe` return promises that the runner awaits.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', name: ['test', 'describe', 'it', 'suite'], package: 'node:test' },
          ],
        },
      ],
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['engine/src/**/*.ts'],
    ignores: ['engine/src/redis/**', 'engine/src/scripts/**', 'engine/src/otel/**'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [noClient, noTelemetry, noRawScripts] }],
    },
  },
  {
    files: ['engine/src/scripts/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [noClient, noTelemetry] }] },
  },
  {
    files: ['engine/src/redis/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [noTelemetry, noRawScripts] }] },
  },
  {
    files: ['engine/src/otel/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [noClient, noRawScripts] }] },
  },
  {
    files: ['checkin/src/**/*.ts'],
    ignores: ['checkin/src/domain/**'],
    rules: noImportOf(
      ['redis', '@redis/*', 'ioredis'],
      'the service talks to Redis through the engine',
    ),
  },
  {
    files: ['ops/**/*.ts', 'ops/**/*.tsx'],
    rules: noImportOf(
      ['**/checkin/**', 'checkin', 'redis', '@redis/*', 'ioredis'],
      'the commands of operators know the engine, and neither check-ins nor the client of Redis',
    ),
  },
  {
    files: ['engine/**/*.ts'],
    ignores: ['engine/src/**', 'engine/test/stage/script-calls.ts'],
    rules: noImportOf(
      ['**/checkin/**', 'checkin'],
      'the engine knows nothing of check-ins',
      noRawScripts,
    ),
  },
  {
    // Where tests call a script with keys and arguments of their own.
    files: ['engine/test/stage/script-calls.ts'],
    rules: noImportOf(['**/checkin/**', 'checkin'], 'the engine knows nothing of check-ins'),
  },
  {
    files: ['testing/**/*.ts'],
    rules: noImportOf(
      ['**/checkin/**', 'checkin', '**/ops/**'],
      'what all tests share knows neither the service nor the operator',
    ),
  },
  {
    files: ['checkin/src/domain/**/*.ts'],
    rules: noImportOf(
      ['../**', 'node:*', 'redis'],
      'the domain imports only itself and the engine',
    ),
  },
  {
    files: ['**/*.mjs', 'eslint.config.js'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly', fetch: 'readonly' },
    },
  },
)
