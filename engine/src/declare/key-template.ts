/** Key templates of projections, like `users:{userId}`, taken apart. */

/** The text between the fields, and the fields. There is one literal more than names; it may be empty. */
interface TemplateParts {
  readonly literals: readonly string[]
  /** Fields of the entry, in the order of the key. */
  readonly names: readonly string[]
}

/**
 * Whether each brace opens or closes a field, or is doubled.
 * @returns what is wrong, undefined when nothing is.
 */
export function templateProblem(template: unknown): string | undefined {
  if (typeof template !== 'string') return 'its key is no text'
  if (template === '') return 'its key is empty'
  const rest = template.replace(/\{\{|\}\}|\{[^{}]+\}/g, '')
  if (!/[{}]/.test(rest)) return undefined
  return 'a brace in its key is without its other half. A field stands in braces, and a doubled brace is the brace itself'
}

/** Takes a template apart. A doubled brace is the brace itself. */
export function readTemplate(template: string): TemplateParts {
  const literals: string[] = ['']
  const names: string[] = []
  for (const part of template.split(/(\{\{|\}\}|\{[^{}]+\})/)) {
    if (part.length > 2 && part.startsWith('{')) {
      names.push(part.slice(1, -1))
      literals.push('')
    } else {
      literals.push(`${literals.pop() ?? ''}${part === '{{' ? '{' : part === '}}' ? '}' : part}`)
    }
  }
  return { literals, names }
}
