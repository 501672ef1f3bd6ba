/** Names of metrics: those that an expression of Prometheus asks for, and those that a process serves. */

/** Names in it that begin with one of these prefixes (`millrace_`). Suffixes of histograms are taken off. */
export function namesAsked(expression: string, prefixes: readonly string[]): string[] {
  const withoutTexts = expression.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')
  const words = withoutTexts.match(/[A-Za-z_:][\w:]*/g) ?? []
  const found = words.filter((word) => prefixes.some((prefix) => word.startsWith(prefix)))
  return [...new Set(found.map(withoutSuffix))]
}

/** Names of metrics in the text format of Prometheus, by their `# TYPE` lines. */
export function namesServed(text: string): Set<string> {
  return new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name = '']) => name))
}

const withoutSuffix = (name: string): string => name.replace(/_(?:bucket|count|sum)$/, '')
