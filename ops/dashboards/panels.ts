/** Panels as the dashboards show them: each says what it shows, in which unit, and what to do when it is bad. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  BigValueColorMode,
  BigValueGraphMode,
  ReduceDataOptionsBuilder,
  TableSortByFieldStateBuilder,
  VizLegendOptionsBuilder,
  LegendDisplayMode,
  LegendPlacement,
  type DataSourceRef,
} from '@grafana/grafana-foundation-sdk/common'
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as LinesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'

/** What the variable `datasource` of the dashboard chooses. */
export const source: DataSourceRef = { type: 'prometheus', uid: '${datasource}' }

/** The pages that panels lead to. */
export const handbook = 'https://github.com/millrace/millrace/blob/main/docs/operations.md'

/** What every panel has. */
interface Shown {
  readonly title: string
  readonly description: string
  /** Of Grafana: one of `@grafana/grafana-foundation-sdk/units`. */
  readonly unit: string
  /** Heading of the handbook that says what to do: an alert's name. */
  readonly runbook?: string
  /** Of 24. */
  readonly width: number
  /** Default 8; of a `stat` 4. */
  readonly height?: number
  /** From where on it is orange. */
  readonly warns?: number
  /** From where on it is red. */
  readonly bad?: number
  /** It is red below `bad`, and orange below `warns`. */
  readonly isWorseBelow?: boolean
  /** What is shown instead of a value where there is none. Default: `nothing is told`. */
  readonly without?: string
}

/** A query, and how its series are called (`{{label}}`). */
export type Query = readonly [legend: string, expression: string]

/** One number, as it is now. */
export function stat(shown: Shown & { readonly query: string }): Builder<Panel> {
  const panel = new StatBuilder()
    .graphMode(BigValueGraphMode.None)
    .colorMode(shown.bad === undefined ? BigValueColorMode.None : BigValueColorMode.Background)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .withTarget(query(['', shown.query], 'A').instant())
  return dressed(panel, { height: 4, ...shown })
}

/** Lines over time. */
export function lines(shown: Shown & { readonly queries: readonly Query[] }): Builder<Panel> {
  const legend = new VizLegendOptionsBuilder()
    .displayMode(LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom)
    .showLegend(true)
  const panel = new LinesBuilder().legend(legend).fillOpacity(5).min(0)
  for (const [at, each] of shown.queries.entries()) panel.withTarget(query(each, refId(at)).range())
  return dressed(panel, shown)
}

/** Bars that are red while the value is 1. */
export function timeline(shown: Shown & { readonly queries: readonly Query[] }): Builder<Panel> {
  const panel = new TimelineBuilder().mergeValues(true)
  for (const [at, each] of shown.queries.entries()) panel.withTarget(query(each, refId(at)).range())
  return dressed(panel, { ...shown, bad: 1 })
}

/** A column of a table: its heading, where the value comes from, and its unit. */
export interface Column {
  readonly name: string
  readonly query: string
  readonly unit: string
  readonly warns?: number
  readonly bad?: number
}

/** A row for each stream and group, as they are now, the worst by `sortBy` first; a click on one leads to its dashboard. */
export function groupTable(
  shown: Shown & { readonly columns: readonly Column[]; readonly sortBy: string },
): Builder<Panel> {
  const panel = new TableBuilder().sortBy([
    new TableSortByFieldStateBuilder().displayName(shown.sortBy).desc(true),
  ])
  const names: Record<string, string> = { stream: 'stream', group: 'group' }
  for (const [at, column] of shown.columns.entries()) {
    const ref = refId(at)
    names[`Value #${ref}`] = column.name
    panel.withTarget(query(['', column.query], ref).instant().format(PromQueryFormat.Table))
    const colored = column.bad === undefined ? [] : coloredCell(column)
    panel.overrideByName(column.name, [{ id: 'unit', value: column.unit }, ...colored])
  }
  const url =
    '/d/millrace-group?var-datasource=${datasource}&var-stream=${__data.fields.stream:percentencode}&var-group=${__data.fields.group:percentencode}&${__url_time_range}'
  panel
    .overrideByName('group', [{ id: 'links', value: [{ title: 'This group', url }] }])
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: { excludeByName: { Time: true }, renameByName: names },
    })
  return dressed(panel, shown)
}

function coloredCell({ warns, bad }: Column): { id: string; value: unknown }[] {
  const steps = [
    { color: 'green', value: null },
    ...(warns === undefined ? [] : [{ color: 'orange', value: warns }]),
    { color: 'red', value: bad },
  ]
  return [
    { id: 'thresholds', value: { mode: 'absolute', steps } },
    { id: 'custom.cellOptions', value: { type: 'color-text' } },
  ]
}

/** What all kinds of panels can be told. */
interface Dressable extends Builder<Panel> {
  title(title: string): this
  description(description: string): this
  unit(unit: string): this
  datasource(source: DataSourceRef): this
  span(width: number): this
  height(height: number): this
  noValue(text: string): this
  thresholds(thresholds: ThresholdsConfigBuilder): this
  links(links: DashboardLinkBuilder[]): this
}

function dressed(panel: Dressable, shown: Shown): Builder<Panel> {
  panel
    .title(shown.title)
    .description(shown.description)
    .unit(shown.unit)
    .datasource(source)
    .span(shown.width)
    .height(shown.height ?? 8)
    .noValue(shown.without ?? 'nothing is told')
    .thresholds(thresholdsOf(shown))
  if (shown.runbook !== undefined) {
    const link = new DashboardLinkBuilder(`Runbook: ${shown.runbook}`)
      .type(DashboardLinkType.Link)
      .url(`${handbook}#${shown.runbook.toLowerCase()}`)
      .targetBlank(true)
    panel.links([link])
  }
  return panel
}

function thresholdsOf({ warns, bad, isWorseBelow }: Shown): ThresholdsConfigBuilder {
  const given = (value: number | undefined, color: string): { value: number; color: string }[] =>
    value === undefined ? [] : [{ value, color }]
  const steps =
    isWorseBelow === true
      ? [{ value: null, color: 'red' }, ...given(bad, 'orange'), ...given(warns, 'green')]
      : [{ value: null, color: 'green' }, ...given(warns, 'orange'), ...given(bad, 'red')]
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps)
}

function query([legend, expression]: Query, ref: string): DataqueryBuilder {
  return new DataqueryBuilder().datasource(source).expr(expression).legendFormat(legend).refId(ref)
}

const refId = (at: number): string => String.fromCharCode('A'.charCodeAt(0) + at)
