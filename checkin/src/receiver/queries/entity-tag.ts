/** Answers to reads carry an ETag, and a client that has the same already gets a 304 without a body. */
import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isReading } from '../http/resources.ts'

/**
 * Tags the answers of all routes that are added afterwards and are for looking, unless a handler forbids to store its answer
 * (`Cache-Control: no-store`).
 */
export function tagReads(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (!isReading(route.config?.requires)) return
    const own = route.onSend === undefined ? [] : [route.onSend].flat()
    // First: the hook that Fastify has for HEAD takes the body away. That HEAD comes with the hooks of its GET.
    if (!own.includes(tag)) route.onSend = [tag, ...own]
  })
}

function tag(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  done: (error: null, payload: unknown) => void,
): void {
  const isStored = reply.getHeader('cache-control') !== 'no-store'
  if (reply.statusCode !== 200 || typeof payload !== 'string' || !isStored) {
    done(null, payload)
    return
  }
  const entityTag = `"${createHash('sha1').update(payload).digest('base64url')}"`
  // A cache may keep it, but asks each time whether it still holds.
  reply.header('etag', entityTag).header('cache-control', 'private, no-cache')
  if (!isKnown(request.headers['if-none-match'], entityTag)) {
    done(null, payload)
    return
  }
  reply.code(304)
  reply.removeHeader('content-type')
  // The hook for HEAD measures the body before it takes it away.
  done(null, request.method === 'HEAD' ? payload : '')
}

/** If-None-Match of RFC 9110: `*`, or a list of tags that are compared weakly. */
function isKnown(header: string | undefined, entityTag: string): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  const tags: readonly string[] = header.match(/"[^"]*"/g) ?? []
  return tags.includes(entityTag)
}
