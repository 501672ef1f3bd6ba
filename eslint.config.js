import js from '@eslint/js'
import tseslint from 'typescript-eslint'

/** Refuses imports that leave the allowed direction; ARCHITECTURE.md draws the arrows. */
const noImportOf = (group, message) => ({
  'no-restricted-imports': ['error', { patterns: [{ group, message }] }],
})

export default tseslint.config(
  { ignores: ['**/dist/', '**/node_modules/', '.millrace/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./engine/tsconfig.json', './checkin/tsconfig.json', './tsconfig.test.json'],
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
    },
  },
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
    ignores: ['engine/src/redis/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(redis|@redis/.*)$',
              message: 'only engine/src/redis knows the Redis client',
            },
          ],
        },
      ],
    },
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
    files: ['engine/**/*.ts'],
    ignores: ['engine/src/**'],
    rules: noImportOf(['**/checkin/**', 'checkin'], 'the engine knows nothing of check-ins'),
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
