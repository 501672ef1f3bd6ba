/** What all dashboards have: the choice of data source, stream and group, and links to each other and to the handbook. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  AdHocVariableBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
  type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { handbook, source } from './panels.ts'

/** What a dashboard shows, in this order. */
export interface Contents {
  readonly uid: string
  readonly title: string
  readonly description: string
  readonly variables: readonly QueryVariableBuilder[]
  readonly rows: Readonly<Record<string, readonly Builder<Panel>[]>>
}

/** A variable with the values of a label. @param of the metric, with matchers. */
export function labelVariable(
  label: string,
  of: string,
  { isMany }: { readonly isMany: boolean },
): QueryVariableBuilder {
  const variable = new QueryVariableBuilder(label)
    .label(label)
    .datasource(source)
    .query(`label_values(${of}, ${label})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(isMany)
    .includeAll(isMany)
  return isMany ? variable.current({ text: 'All', value: '$__all' }) : variable
}

/** A dashboard as it is written. */
export type Framed = ReturnType<typeof framed>

/** In the form that all versions of Grafana import. */
export function framed({ uid, title, description, variables, rows }: Contents) {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the newer form asks for Grafana 12
  const dashboard = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['millrace', 'redis-streams'])
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .timezone('browser')
    .withVariable(new DatasourceVariableBuilder('datasource').label('source').type('prometheus'))
  for (const variable of variables) dashboard.withVariable(variable)
  dashboard
    // For labels of your own: which server, which cluster.
    .withVariable(new AdHocVariableBuilder('filters').label('filters').datasource(source))
    .link(
      new DashboardLinkBuilder('Millrace')
        .type(DashboardLinkType.Dashboards)
        .tags(['millrace'])
        .includeVars(true)
        .keepTime(true),
    )
    .link(
      new DashboardLinkBuilder('Runbooks')
        .type(DashboardLinkType.Link)
        .url(`${handbook}#alerts`)
        .targetBlank(true),
    )
  for (const [heading, panels] of Object.entries(rows)) {
    dashboard.withRow(new RowBuilder(heading))
    for (const panel of panels) dashboard.withPanel(panel)
  }
  const built = dashboard.build()
  for (const [at, panel] of (built.panels ?? []).entries()) panel.id = at + 1
  return built
}
