/** Writes SVG as text: all that a chart needs of it. */

type Attributes = Readonly<Record<string, string | number>>

/** One element; numbers are rounded to a tenth of a pixel. */
export function element(name: string, attributes: Attributes, ...children: string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${shown(value)}"`)
  const opening = `<${name}${written.join('')}`
  return children.length === 0 ? `${opening}/>` : `${opening}>${children.join('')}</${name}>`
}

/** A line of text; `look` is a class of the theme. */
export function text(
  x: number,
  y: number,
  look: string,
  content: string,
  more: Attributes = {},
): string {
  return element('text', { x, y, class: look, ...more }, escaped(content))
}

export function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

function shown(value: string | number): string {
  return typeof value === 'number' ? String(Math.round(value * 10) / 10) : escaped(value)
}
