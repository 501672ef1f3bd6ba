/** Preloaded by tests (`NODE_OPTIONS=--import ...`): sends SIGTERM to its process when it asks for the module that SIGNAL_AT names. */
import { register } from 'node:module'
import { isMainThread } from 'node:worker_threads'

// Hooks run in a thread of their own, which loads this file again.
if (isMainThread) register(import.meta.url)

export async function resolve(specifier, context, next) {
  if (specifier === process.env.SIGNAL_AT) process.kill(process.pid, 'SIGTERM')
  return await next(specifier, context)
}
