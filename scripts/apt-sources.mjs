/** What this machine's apt knows: its release, and the mirror from which it takes it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** This machine's Debian release, like `bookworm`; undefined where it is none. */
export function debianCodename() {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  if (!/^ID=debian$/m.test(release)) return undefined
  return /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1]
}

/** Suites of the mirror that serves a release to this machine, as an apt source in the deb822 format; undefined where there is none. */
export function sourceOf(codename, suites) {
  const mirror = allStanzas().find(
    ({ types, suites, components, isEnabled }) =>
      isEnabled &&
      types.includes('deb') &&
      suites.includes(codename) &&
      components.includes('main'),
  )
  if (mirror === undefined) return undefined
  return [
    'Types: deb',
    `URIs: ${mirror.uris}`,
    `Suites: ${suites.join(' ')}`,
    'Components: main',
    ...mirror.options,
    '',
  ].join('\n')
}

function allStanzas() {
  const parts = '/etc/apt/sources.list.d'
  const files = existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : []
  return ['/etc/apt/sources.list', ...files].flatMap((file) => {
    if (!existsSync(file)) return []
    if (file.endsWith('.list')) return oneLineStanzas(readFileSync(file, 'utf8'))
    return file.endsWith('.sources') ? deb822Stanzas(readFileSync(file, 'utf8')) : []
  })
}

/** `deb [signed-by=... arch=...] URI SUITE COMPONENT...` */
function oneLineStanzas(text) {
  const line = /^\s*(deb)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#\n]+)/gm
  return [...text.matchAll(line)].map(([, type, options = '', uri, suite, components]) => ({
    isEnabled: true,
    types: [type],
    uris: uri,
    suites: [suite],
    components: components.trim().split(/\s+/),
    options: [...options.matchAll(/(signed-by|trusted)=(\S+)/gi)].map(
      ([, name, value]) => `${name}: ${value.replaceAll(',', ' ')}`,
    ),
  }))
}

/** Stanzas of `Name: value` lines; a line that begins with a space continues the one before. */
function deb822Stanzas(text) {
  const stanzas = text.replaceAll(/^#.*\n?/gm, '').split(/\n\s*\n/)
  return stanzas.map((stanza) => {
    const fields = stanza.split(/\n(?=\S)/).map((field) => field.trim())
    const value = (name) =>
      fields.find((field) => field.toLowerCase().startsWith(`${name}:`))?.slice(name.length + 1)
    const words = (name) => (value(name) ?? '').split(/\s+/).filter(Boolean)
    return {
      isEnabled: value('enabled')?.trim().toLowerCase() !== 'no',
      types: words('types'),
      uris: words('uris').join(' '),
      suites: words('suites'),
      components: words('components'),
      options: fields.filter((field) => /^(?:signed-by|trusted):/i.test(field)),
    }
  })
}
