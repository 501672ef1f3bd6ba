/**
 * A new kind of operator or field is nowhere dropped in silence: the compiler names each place that has to know it. The
 * kind is added to the union of a source that only the compiler sees.
 */
import assert from 'node:assert/strict'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const engine = join(dirname(fileURLToPath(import.meta.url)), '../..')
const roots = ['src/index.ts', 'src/testing.ts', 'test/operators/kinds.test.ts'].map((file) =>
  join(engine, file),
)

function optionsOfTests(): ts.CompilerOptions {
  const file = join(engine, '../tsconfig.test.json')
  const { config } = ts.readConfigFile(file, (path) => ts.sys.readFile(path)) as { config: object }
  const { errors, options } = ts.parseJsonConfigFileContent(config, ts.sys, dirname(file), {}, file)
  assert.deepEqual(errors, [])
  return options
}

/** Parsed once for all tests. */
const parsed = new Map<string, ts.SourceFile | undefined>()

/** The engine and the operators of its laws as the compiler sees them when the union has one kind more. */
function withOneMore(file: string, union: string, kind: string): ts.Program {
  const options = optionsOfTests()
  const host = ts.createCompilerHost(options)
  const read = host.getSourceFile.bind(host)
  host.getSourceFile = (name, language, ...rest) => {
    if (relative(engine, name) !== file) {
      if (!parsed.has(name)) parsed.set(name, read(name, language, ...rest))
      return parsed.get(name)
    }
    const text = ts.sys.readFile(name) ?? ''
    assert.equal(text.split(union).length, 2, `${file} has to hold ${union} once`)
    return ts.createSourceFile(name, text.replace(union, `${union} | ${kind}`), language)
  }
  return ts.createProgram(roots, options, host)
}

/** The files that the compiler finds wrong because of the new kind. */
function told(program: ts.Program): string[] {
  const files = ts.getPreEmitDiagnostics(program).flatMap(({ file, messageText }) => {
    const text = ts.flattenDiagnosticMessageText(messageText, ' ')
    return /\bunheard-of\b/.test(text) ? [relative(engine, file?.fileName ?? '')] : []
  })
  return files.sort()
}

test('the compiler names every place that has to know a new kind of operator', () => {
  const kind = "{ readonly kind: 'unheard-of'; readonly of: Name }"
  const file = 'src/operators/operators.ts'
  assert.deepEqual(told(withOneMore(file, 'Rankable<Name> | Choice<Name>', kind)), [
    // Its family, which says how each interpreter folds it, and when; and that the index lacks its call.
    file,
    'test/operators/kinds.test.ts',
  ])
})

test('the compiler names every place that has to know a new kind of field', () => {
  const file = 'src/declare/fields.ts'
  const program = withOneMore(file, 'IntegerField | TextField', "{ readonly kind: 'unheard-of' }")
  // How it is declared, encoded, decoded and bounded.
  assert.deepEqual(told(program), [file, file, file, file])
})
