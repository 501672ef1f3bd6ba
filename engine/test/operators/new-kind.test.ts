/**
 * A new operator kind is nowhere dropped in silence: the compiler names each place that has to know it. The kind is added
 * to the union of a source that only the compiler sees.
 */
import assert from 'node:assert/strict'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const engine = join(dirname(fileURLToPath(import.meta.url)), '../..')
const union = join(engine, 'src/operators/operators.ts')
const roots = ['src/index.ts', 'test/stage/one-of-each.ts'].map((file) => join(engine, file))

function optionsOfTests(): ts.CompilerOptions {
  const file = join(engine, '../tsconfig.test.json')
  const { config } = ts.readConfigFile(file, (path) => ts.sys.readFile(path)) as { config: object }
  const parsed = ts.parseJsonConfigFileContent(config, ts.sys, dirname(file), {}, file)
  assert.deepEqual(parsed.errors, [])
  return parsed.options
}

const end = 'Rankable<Name> | Choice<Name>'

/** The engine and the operators of its laws as the compiler sees them with one kind more. */
function withOneMore(): ts.Program {
  const options = optionsOfTests()
  const host = ts.createCompilerHost(options)
  const read = host.getSourceFile.bind(host)
  host.getSourceFile = (file, language, ...rest) => {
    if (join(file) !== union) return read(file, language, ...rest)
    const text = ts.sys.readFile(file) ?? ''
    assert.equal(text.split(end).length, 2, `operators.ts has to hold ${end} once`)
    const more = `${end} | { readonly kind: 'unheard-of'; readonly of: Name }`
    return ts.createSourceFile(file, text.replace(end, more), language)
  }
  return ts.createProgram(roots, options, host)
}

test('the compiler names every place that has to know a new operator, and no other', () => {
  const told = ts.getPreEmitDiagnostics(withOneMore()).map(({ file, messageText }) => {
    const text = ts.flattenDiagnosticMessageText(messageText, ' ')
    // Whatever else were wrong would be told here, too.
    assert.match(text, /\bunheard-of\b/, `${file?.fileName}: ${text}`)
    return file === undefined ? text : relative(engine, file.fileName)
  })
  assert.deepEqual(told.sort(), [
    // How it is folded there, and when.
    'src/declare/reference.ts',
    'src/declare/reference.ts',
    'src/operators/operators.ts',
    'test/stage/one-of-each.ts',
  ])
})
