/**
 * A string as a literal of Lua 5.1: the UTF-8 bytes of anything but plain letters, digits and a few signs are escaped in
 * decimal, so that no text, whatever it holds, ends the literal or starts a line.
 */
export function luaLiteral(value: string): string {
  let literal = ''
  for (const byte of Buffer.from(value, 'utf8')) {
    const character = String.fromCharCode(byte)
    literal += /[\w :.@-]/.test(character) ? character : `\\${String(byte).padStart(3, '0')}`
  }
  return `'${literal}'`
}
