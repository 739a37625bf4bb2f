/** Dashboards as data, and Grafana's JSON of them. */

/** One query and how its series are called. */
export interface Query {
  /** PromQL. `$instance` and `$__rate_interval` are Grafana's to fill in. */
  readonly expr: string
  /** For example `{{partition}}`. */
  readonly legend: string
}

export interface Panel {
  readonly title: string
  /** For whoever wonders what it shows: one sentence. */
  readonly description: string
  readonly kind: 'timeseries' | 'stat'
  /** Of Grafana's list: `s`, `bytes`, `percentunit`, `short`, `reqps`… */
  readonly unit: string
  readonly queries: readonly Query[]
}

export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

export interface Dashboard {
  /** Permanent: links and bookmarks hold it. */
  readonly uid: string
  readonly title: string
  readonly rows: readonly Row[]
}

/** The data source's, in deploy/grafana/provisioning too: fixed, so that dashboards need no setting up. */
export const dataSourceUid = 'millwright-prometheus'
/** What Grafana 11 writes. Older ones from 9 on read it as well. */
const schemaVersion = 39

export function lines(title: string, description: string, unit: string, ...queries: readonly Query[]): Panel {
  return { title, description, kind: 'timeseries', unit, queries }
}

export function number(title: string, description: string, unit: string, ...queries: readonly Query[]): Panel {
  return { title, description, kind: 'stat', unit, queries }
}

export function query(expr: string, legend = ''): Query {
  return { expr, legend }
}

/** A quantile of a histogram by its name, over the instances chosen. */
export function quantile(q: number, histogram: string, by = ''): string {
  const labels = by === '' ? 'le' : `le, ${by}`
  return `histogram_quantile(${q}, sum by (${labels}) (rate(${histogram}_bucket{instance=~"$instance"}[$__rate_interval])))`
}

const columns = 24
const rowHeight = 1
const sizes = { timeseries: { w: 8, h: 8 }, stat: { w: 4, h: 4 } } as const

/** Grafana's JSON of a dashboard; the same data give the same text. */
export function grafanaJson({ uid, title, rows }: Dashboard): string {
  const panels: object[] = []
  let y = 0
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y, w: columns, h: rowHeight },
      panels: [],
    })
    y += rowHeight
    let x = 0
    let lineHeight = 0
    for (const panel of row.panels) {
      const { w, h } = sizes[panel.kind]
      if (x + w > columns) {
        x = 0
        y += lineHeight
        lineHeight = 0
      }
      panels.push(panelJson(panel, panels.length + 1, { x, y, w, h }))
      x += w
      lineHeight = Math.max(lineHeight, h)
    }
    y += lineHeight
  }
  const dashboard = {
    uid,
    title,
    tags: ['millwright'],
    schemaVersion,
    version: 1,
    editable: true,
    graphTooltip: 1,
    timezone: 'browser',
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: { list: [instanceVariable] },
    annotations: { list: [] },
    panels,
  }
  return `${JSON.stringify(dashboard, null, 2)}\n`
}

const datasource = { type: 'prometheus', uid: dataSourceUid }

const instanceVariable = {
  name: 'instance',
  label: 'Plant or machine',
  type: 'query',
  datasource,
  query: { query: 'label_values(up, instance)', refId: 'instance' },
  definition: 'label_values(up, instance)',
  refresh: 2,
  sort: 1,
  multi: true,
  includeAll: true,
  allValue: '.*',
  current: { text: 'All', value: '$__all' },
}

function panelJson({ kind, title, description, unit, queries }: Panel, id: number, gridPos: object): object {
  const shared = {
    id,
    type: kind,
    title,
    description,
    datasource,
    gridPos,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource,
      expr,
      legendFormat: legend === '' ? '{{instance}}' : legend,
      range: kind === 'timeseries',
      instant: kind === 'stat',
    })),
  }
  return kind === 'timeseries'
    ? { ...shared, options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } } }
    : { ...shared, options: { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false } } }
}
