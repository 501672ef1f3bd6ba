/** The mutants of a Lua script: small changes at the nodes of its syntax. Redis runs Lua 5.1. */
import luaparse, { type Node } from 'luaparse'
import type { Edit } from './edit.ts'
import { swapped } from './swapped.ts'

/** What one operator makes of a node. */
type Operator = (node: Node, text: string) => Edit[]

/** @throws {SyntaxError} when it is not Lua 5.1. */
export function luaEdits(text: string): Edit[] {
  const edits: Edit[] = []
  visit(parsedLua(text), (node) => {
    for (const operator of operators) edits.push(...operator(node, text))
  })
  return edits
}

/** @throws {SyntaxError} */
function parsedLua(text: string): Node {
  return luaparse.parse(text, { luaVersion: '5.1', ranges: true, comments: false })
}

/** Numbers of this size count and index; a larger one is a limit, and one more of it is hardly ever seen. */
export const countedMax = 16

const operators: readonly Operator[] = [
  function condition(node, text) {
    if (node.type === 'WhileStatement') return [edit(node.condition, 'false', 'condition')]
    if (node.type === 'RepeatStatement') return [edit(node.condition, 'true', 'condition')]
    if (node.type !== 'IfClause' && node.type !== 'ElseifClause') return []
    const tested = asNode(node.condition)
    const forced = ['true', 'false'].map((to) => edit(tested, to, 'condition'))
    // Negated by the operators below.
    if (['==', '~=', 'not'].includes(String(tested.operator))) return forced
    return [...forced, edit(tested, `not (${textOf(tested, text)})`, 'condition')]
  },

  function operatorBetween(node, text) {
    if (node.type !== 'BinaryExpression' && node.type !== 'LogicalExpression') return []
    const sign = node.operator as string
    const from = asNode(node.left).range[1]
    const between = text.slice(from, asNode(node.right).range[0])
    // A comment between the operands may hold the same sign.
    const code = between.replaceAll(/--(?:\[(=*)\[[^]*?\]\1\]|[^\n]*)/g, (comment) =>
      ' '.repeat(comment.length),
    )
    const start = from + code.indexOf(sign)
    return (swapped.lua[sign] ?? []).map(({ to, operator }) => {
      return { start, end: start + sign.length, replacement: to, operator }
    })
  },

  function negation(node, text) {
    if (node.type !== 'UnaryExpression' || node.operator !== 'not') return []
    return [edit(node, text.slice(node.range[0] + 'not'.length, node.range[1]).trim(), 'negation')]
  },

  function number(node) {
    if (node.type !== 'NumericLiteral') return []
    const value = node.value as number
    if (!Number.isInteger(value) || value > countedMax) return []
    return [edit(node, String(value + 1), 'number')]
  },

  function boolean(node) {
    if (node.type !== 'BooleanLiteral') return []
    return [edit(node, node.value === true ? 'false' : 'true', 'boolean')]
  },

  function bound(node, text) {
    if (node.type !== 'MemberExpression') return []
    const to = { 'math.min': 'math.max', 'math.max': 'math.min' }[textOf(node, text)]
    return to === undefined ? [] : [edit(node, to, 'bound')]
  },

  function dropped(node) {
    if (node.type !== 'CallStatement' && node.type !== 'AssignmentStatement') return []
    // Not nothing: what follows may begin with a parenthesis.
    return [edit(node, 'do end', 'dropped')]
  },

  function earlyEnd(node) {
    if (node.type !== 'IfClause' && node.type !== 'ElseifClause') return []
    const body = node.body as Node[]
    const last = body.at(-1)
    // Alone, it is dropped by the condition that is forced false.
    if (body.length === 1) return []
    if (last?.type !== 'ReturnStatement' && last?.type !== 'BreakStatement') return []
    return [edit(last, 'do end', 'early end')]
  },
]

/** What a script is given stands at places that every call of it shows to be right. */
function isParameter(node: Node): boolean {
  if (node.type !== 'IndexExpression') return false
  return ['KEYS', 'ARGV'].includes(String(asNode(node.base).name))
}

function edit(node: unknown, replacement: string, operator: string): Edit {
  const [start, end] = asNode(node).range
  return { start, end, replacement, operator }
}

function textOf(node: unknown, text: string): string {
  return text.slice(...asNode(node).range)
}

function asNode(value: unknown): Node {
  return value as Node
}

function visit(value: unknown, see: (node: Node) => void): void {
  if (typeof value !== 'object' || value === null) return
  if ('type' in value) {
    if (isParameter(value as Node)) return
    see(value as Node)
  }
  for (const child of Object.values(value)) visit(child, see)
}
