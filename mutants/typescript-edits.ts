/** The mutants of a TypeScript source: small changes at the nodes of its syntax, but none in types, texts and logs. */
import ts from 'typescript'
import type { Edit } from './edit.ts'
import { countedMax } from './lua-edits.ts'
import { swapped } from './swapped.ts'

/** What one operator makes of a node: the node to replace, and by what. */
type Change = readonly [node: ts.Node, replacement: string, operator: string]
type Operator = (node: ts.Node) => Change[]

export function typescriptEdits(text: string): Edit[] {
  const source = ts.createSourceFile('source.ts', text, ts.ScriptTarget.Latest, true)
  const edits: Edit[] = []
  const visit = (node: ts.Node): void => {
    if (isLeftAlone(node)) return
    for (const operator of operators) {
      for (const [changed, replacement, name] of operator(node)) {
        const place = { start: changed.getStart(), end: changed.end }
        edits.push({ ...place, replacement, operator: name, within: functionAround(changed) })
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return edits
}

const operators: readonly Operator[] = [
  function condition(node) {
    if (ts.isWhileStatement(node)) return [[node.expression, 'false', 'condition']]
    const tested = ts.isIfStatement(node)
      ? node.expression
      : ts.isConditionalExpression(node)
        ? node.condition
        : undefined
    if (tested === undefined) return []
    const forced = ['true', 'false']
    // Negated by the operators below.
    const all = isNegatedBelow(tested) ? forced : [...forced, `!(${tested.getText()})`]
    return all.map((to) => [tested, to, 'condition'])
  },

  function operatorBetween(node) {
    if (!ts.isBinaryExpression(node)) return []
    if ([node.left, node.right].some(isText)) return []
    const sign = node.operatorToken
    const swaps = swapped.typescript[sign.getText()] ?? []
    return swaps.map(({ to, operator }) => [sign, to, operator])
  },

  function step(node) {
    if (!ts.isPrefixUnaryExpression(node) && !ts.isPostfixUnaryExpression(node)) return []
    const operand = node.operand.getText()
    if (node.operator === ts.SyntaxKind.PlusPlusToken) return [[node, `${operand}--`, 'arithmetic']]
    if (node.operator === ts.SyntaxKind.MinusMinusToken) {
      return [[node, `${operand}++`, 'arithmetic']]
    }
    const isNot = node.operator === ts.SyntaxKind.ExclamationToken
    return isNot ? [[node, operand, 'negation']] : []
  },

  function number(node) {
    if (ts.isBigIntLiteral(node)) {
      const value = BigInt(node.text.slice(0, -1))
      return value > countedMax ? [] : [[node, `${value + 1n}n`, 'number']]
    }
    if (!ts.isNumericLiteral(node)) return []
    const value = Number(node.text)
    const isCount = Number.isInteger(value) && value <= countedMax
    return isCount ? [[node, String(value + 1), 'number']] : []
  },

  function boolean(node) {
    if (node.kind === ts.SyntaxKind.TrueKeyword) return [[node, 'false', 'boolean']]
    return node.kind === ts.SyntaxKind.FalseKeyword ? [[node, 'true', 'boolean']] : []
  },

  function bound(node) {
    if (!ts.isPropertyAccessExpression(node)) return []
    const to = { 'Math.min': 'Math.max', 'Math.max': 'Math.min' }[node.getText()]
    return to === undefined ? [] : [[node, to, 'bound']]
  },

  function dropped(node) {
    if (!ts.isExpressionStatement(node)) return []
    const done = withoutWaiting(node.expression)
    const isCall = ts.isCallExpression(done) && done.expression.kind !== ts.SyntaxKind.SuperKeyword
    // What a constructor sets is missed by whoever looks at it.
    const isSet = isAssignment(done) && !isInConstructor(node)
    return isCall || isSet ? [[node, ';', 'dropped']] : []
  },

  function earlyEnd(node) {
    if (!ts.isIfStatement(node)) return []
    const { thenStatement: then } = node
    // Alone, it is dropped by the condition that is forced false.
    if (!ts.isBlock(then) || then.statements.length === 1) return []
    const last = then.statements.at(-1)
    const isEnd =
      last !== undefined &&
      (ts.isReturnStatement(last) ||
        ts.isThrowStatement(last) ||
        ts.isBreakOrContinueStatement(last))
    return isEnd ? [[last, ';', 'early end']] : []
  },

  function unawaited(node) {
    if (!ts.isAwaitExpression(node)) return []
    // Whoever is handed the promise awaits it.
    if (ts.isReturnStatement(node.parent) || ts.isArrowFunction(node.parent)) return []
    return [[node, node.expression.getText(), 'await']]
  },
]

/** Types, imports, texts, what an error says, and log lines. */
function isLeftAlone(node: ts.Node): boolean {
  if (ts.isTypeNode(node) || ts.isTypeAliasDeclaration(node) || ts.isInterfaceDeclaration(node)) {
    return true
  }
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return true
  if (ts.isTemplateExpression(node)) return true
  if (ts.isNewExpression(node)) return node.expression.getText().endsWith('Error')
  return ts.isExpressionStatement(node) && isLog(withoutWaiting(node.expression))
}

function isLog(node: ts.Node): boolean {
  return ts.isCallExpression(node) && /(?:^|[.#])(?:log|console|logger)\??\./.test(node.getText())
}

function isNegatedBelow(node: ts.Node): boolean {
  if (ts.isPrefixUnaryExpression(node)) return node.operator === ts.SyntaxKind.ExclamationToken
  return ts.isBinaryExpression(node) && ['===', '!=='].includes(node.operatorToken.getText())
}

function isText(node: ts.Node): boolean {
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)
}

function isAssignment(node: ts.Node): boolean {
  if (!ts.isBinaryExpression(node)) return false
  const { kind } = node.operatorToken
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment
}

function isInConstructor({ parent }: ts.Node): boolean {
  return ts.isBlock(parent) && ts.isConstructorDeclaration(parent.parent)
}

/** The expression behind `await` and `void`. */
function withoutWaiting(node: ts.Expression): ts.Expression {
  return ts.isAwaitExpression(node) || ts.isVoidExpression(node)
    ? withoutWaiting(node.expression)
    : node
}

/** Arrow functions count to the function around them: how they are called depends on who has transpiled them. */
function functionAround(node: ts.Node): string | undefined {
  for (let at = node.parent as ts.Node | undefined; at !== undefined; at = at.parent) {
    // What initializes a property runs in a function of V8's own.
    if (ts.isPropertyDeclaration(at)) return undefined
    if (ts.isConstructorDeclaration(at)) return at.parent.name?.text
    if (ts.isGetAccessor(at)) return `get ${at.name.getText()}`
    if (ts.isSetAccessor(at)) return `set ${at.name.getText()}`
    if (ts.isFunctionDeclaration(at) || ts.isMethodDeclaration(at)) return at.name?.getText()
  }
  return undefined
}
