/** Every error of the engine says what helps, but for those of which nothing is to be done. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const sources = fileURLToPath(new URL('../../src/', import.meta.url))

/** Codes that may go without a remedy, and why. */
const withoutRemedy: Readonly<Record<string, string>> = {
  UNREACHABLE: 'the connection comes back by itself, and whoever tries again helps himself',
  DISCONNECTED: 'likewise; whether to send it again the caller alone knows',
  TIMEOUT: 'likewise',
  CLOSED: 'the program has closed its Millrace itself',
}

interface Made {
  /** `consume/lease.ts:120` */
  readonly at: string
  /** Undefined where it is not written there. */
  readonly code: string | undefined
  readonly hasRemedy: boolean
}

/** Each place that makes an error, told of it and of the parts that it gives. */
function madeIn(file: string, text: string): Made[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const made: Made[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node) && node.expression.getText() === 'MillraceError') {
      const [code, told] = node.arguments ?? []
      const { line } = source.getLineAndCharacterOfPosition(node.getStart())
      made.push({
        at: `${file}:${line + 1}`,
        code: code !== undefined && ts.isStringLiteral(code) ? code.text : undefined,
        hasRemedy: told !== undefined && namesRemedy(told),
      })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return made
}

function namesRemedy(told: ts.Expression): boolean {
  if (!ts.isObjectLiteralExpression(told)) return false
  const names = told.properties.map((property) => property.name?.getText())
  return names.includes('state') && names.includes('remedy')
}

const missing = (all: readonly Made[]): string[] =>
  all
    .filter(({ code, hasRemedy }) => !hasRemedy && !Object.hasOwn(withoutRemedy, code ?? ''))
    .map(({ at }) => at)

test('every error of the engine is made with what helps', () => {
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  const made = files.flatMap((file) => madeIn(file, readFileSync(`${sources}${file}`, 'utf8')))
  assert.ok(made.length > 40, `it has seen ${made.length} places`)
  assert.deepEqual(missing(made), [])
  const codes = new Set(made.map(({ code }) => code))
  for (const code of Object.keys(withoutRemedy)) assert.ok(codes.has(code), `${code} is made`)
})

test('one that does not say what helps is noticed', () => {
  const text = `
    throw new MillraceError('REFUSED', 'No')
    throw new MillraceError('REFUSED', { action: 'Cannot', state: 'no' })
    throw new MillraceError(code, told)
    throw new MillraceError('CLOSED', 'It is closed')
    throw new MillraceError('REFUSED', { action: 'Cannot', state: 'no', remedy })`
  assert.deepEqual(missing(madeIn('a.ts', text)), ['a.ts:2', 'a.ts:3', 'a.ts:4'])
})
