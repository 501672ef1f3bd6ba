/** Every address of the service. */
import type { FastifyInstance } from 'fastify'
import type { ReceiverMetrics } from './metrics/metrics.ts'
import { metricsRoute } from './metrics/metrics-route.ts'
import { refuseOtherAddresses } from './http/resources.ts'
import { batchRoutes, type BatchParts } from './ingest/post-checkins.ts'
import { checkinRoute, type CheckinParts } from './ingest/post-checkin.ts'
import { healthRoutes, type HealthParts } from './operation/health.ts'
import { documentationRoutes } from './operation/openapi.ts'
import { tagReads } from './queries/entity-tag.ts'
import { statusRoute, type StatusParts } from './queries/get-checkin.ts'
import { checkinPage } from './queries/get-checkins.ts'
import { latestCheckinsRoute } from './queries/get-latest.ts'
import { leaderboardRoutes } from './queries/leaderboards.ts'
import { nearbyRoute } from './queries/nearby.ts'
import { profileRoutes, type ProfileParts } from './queries/profiles.ts'
import type { Store } from './queries/store.ts'

/** What the routes take, all together; each takes no more than it names. */
export type RouteParts = BatchParts &
  CheckinParts &
  HealthParts &
  ProfileParts &
  StatusParts &
  Store<'entryPage' | 'rankingPage' | 'send'> & {
    readonly metrics: ReceiverMetrics
    /** What `GET /metrics` answers; undefined: what this receiver has counted. */
    readonly metricsText: (() => Promise<string>) | undefined
    /** Whether `/docs` and `/openapi.json` are served. */
    readonly hasDocs: boolean
  }

/** Adds them all, and the refusal of every other address. */
export function addRoutes(app: FastifyInstance, parts: RouteParts): void {
  tagReads(app)
  checkinRoute(app, parts)
  batchRoutes(app, parts, checkinPage(parts))
  latestCheckinsRoute(app, parts)
  statusRoute(app, parts)
  profileRoutes(app, parts)
  nearbyRoute(app, parts)
  leaderboardRoutes(app, parts)
  healthRoutes(app, parts)
  if (parts.hasDocs) documentationRoutes(app)
  metricsRoute(app, parts.metrics, parts.metricsText)
  refuseOtherAddresses(app)
}
