/** Where the time of this process goes, by the profiler of V8. */
import { Session, type Profiler } from 'node:inspector/promises'

/** Milliseconds by part; what is idle is left out. */
export type NodeParts = Record<NodePart, number>

type NodePart = 'client' | 'decode' | 'combine' | 'arguments' | 'rest' | 'node' | 'gc'

// Of a file's path; the first that matches.
const parts: readonly (readonly [RegExp, NodePart])[] = [
  [/@redis\/client|engine\/src\/redis\//, 'client'],
  [/engine\/src\/(?:stream|fields|intake|entry-id)\.ts/, 'decode'],
  [/engine\/src\/(?:combine|plan|key-template)\.ts/, 'combine'],
  [/engine\/src\/effects\.ts/, 'arguments'],
  [/./, 'rest'],
]

/** Starts to profile. The function that it returns ends that. */
export async function profileNode(): Promise<() => Promise<NodeParts>> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 200 })
  await session.post('Profiler.start')
  return async () => {
    const { profile } = await session.post('Profiler.stop')
    session.disconnect()
    return partsOf(profile)
  }
}

function partsOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): NodeParts {
  const sums: NodeParts = {
    ...{ client: 0, decode: 0, combine: 0, arguments: 0, rest: 0, node: 0, gc: 0 },
  }
  const partOf = new Map<number, NodePart | undefined>()
  // Parents come before their children.
  for (const { id, callFrame, children = [] } of nodes) {
    const part = partOfFrame(callFrame, partOf.get(id))
    partOf.set(id, part)
    for (const child of children) partOf.set(child, part)
  }
  for (const [at, id] of samples.entries()) {
    const part = partOf.get(id)
    if (part !== undefined) sums[part] += (timeDeltas[at] ?? 0) / 1000
  }
  return sums
}

/** What a function of V8 or of Node costs belongs to the file that called it. */
function partOfFrame(
  { url, functionName }: { readonly url: string; readonly functionName: string },
  callers: NodePart | undefined,
): NodePart | undefined {
  if (functionName === '(idle)') return undefined
  if (functionName === '(garbage collector)') return 'gc'
  if (url === '' || url.startsWith('node:')) return callers ?? 'node'
  return parts.find(([pattern]) => pattern.test(url))?.[1]
}
