import type { Program } from './rival.ts'

/** A process loads only what it runs: a client library that is not used would still cost its start. */
const loaders: Readonly<Record<string, () => Promise<Program>>> = {
  'seed-loop': async () => (await import('./seed-loop.ts')).seedLoop,
  'batch-loop': async () => (await import('./batch-loop.ts')).batchLoop,
  bullmq: async () => (await import('./bullmq.ts')).bullmq,
  moleculer: async () => (await import('./moleculer.ts')).moleculer,
  'read-and-acknowledge': async () =>
    (await import('./read-and-acknowledge.ts')).readAndAcknowledge,
  'waits-alone': async () => (await import('./waits-alone.ts')).waitsAlone,
  millrace: async () => (await import('./millrace.ts')).millrace,
}

/** The program with this name. @throws {RangeError} when there is none. */
export async function loadProgram(name: string): Promise<Program> {
  const load = Object.hasOwn(loaders, name) ? loaders[name] : undefined
  if (load === undefined) throw new RangeError(`Cannot run program "${name}": there is none`)
  return await load()
}
