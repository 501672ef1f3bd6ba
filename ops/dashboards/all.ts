/** The dashboards by the names of their files in `ops/grafana/`. */
import type { Framed } from './frame.ts'
import { group } from './group.ts'
import { overview } from './overview.ts'
import { receiver } from './receiver.ts'

export const dashboards: Readonly<Record<string, Framed>> = { overview, group, receiver }
