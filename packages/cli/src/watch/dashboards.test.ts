/**
 * Method: the JSON that Grafana gets is looked at for what Grafana needs of it. That every query gives data, and moves with its fault, is
 * shown by the proof "watching-system" against a real Prometheus.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

interface Place {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

interface GrafanaPanel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: Place
  readonly datasource?: { readonly type: string; readonly uid: string }
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly datasource: { uid: string } }[]
}

interface GrafanaDashboard {
  readonly uid: string
  readonly title: string
  readonly schemaVersion: number
  readonly panels: readonly GrafanaPanel[]
  readonly templating: { readonly list: readonly { readonly name: string; readonly datasource: { uid: string } }[] }
}

const root = join(import.meta.dirname, '../../../..')
const folder = join(root, 'deploy/grafana/dashboards')
const files = readdirSync(folder)
const dashboards = files.map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as GrafanaDashboard)
const dataSource = /^ {4}uid: (\S+)$/m.exec(
  readFileSync(join(root, 'deploy/grafana/provisioning/datasources/millwright.yml'), 'utf8'),
)?.[1]

test('the dashboards are what scripts/dashboards writes, each under its own uid', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts/dashboards/build.ts'), '--check'], {
    encoding: 'utf8',
  })
  expect([status, stderr]).toEqual([0, ''])
  expect(dashboards.map(({ uid }) => `${uid}.json`).sort()).toEqual(files.toSorted())
  expect(new Set(dashboards.map(({ title }) => title)).size).toBe(5)
})

describe.each(dashboards)('$title', ({ uid, schemaVersion, panels, templating }) => {
  test('has what Grafana needs: a uid, a schema, panels that do not overlap, the provisioned data source', () => {
    expect(uid).toMatch(/^[a-z][a-z-]{1,39}$/)
    expect(schemaVersion).toBe(39)
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length)
    for (const { gridPos } of panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
      expect(Math.min(gridPos.w, gridPos.h)).toBeGreaterThan(0)
    }
    for (const [index, { gridPos: a }] of panels.entries())
      for (const { gridPos: b } of panels.slice(index + 1))
        expect(a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h).toBe(false)
    for (const { datasource } of templating.list) expect(datasource.uid).toBe(dataSource)
    for (const { type, datasource, targets = [], description } of panels) {
      if (type === 'row') continue
      expect(datasource).toEqual({ type: 'prometheus', uid: dataSource })
      expect(description).toMatch(/\.$/)
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length)
      expect(targets.length).toBeGreaterThan(0)
      for (const target of targets) expect(target.datasource.uid).toBe(dataSource)
    }
  })

  test('asks for metrics of ours that docs/guide/metrics.md has', () => {
    const page = readFileSync(join(root, 'docs/guide/metrics.md'), 'utf8')
    const documented = new Set([...page.matchAll(/`(millwright_\w+)`/g)].map(([, name]) => name))
    const asked = panels.flatMap(({ targets = [] }) =>
      targets.flatMap(({ expr }) => [...expr.matchAll(/\bmillwright_\w+/g)].map(([name]) => name)),
    )
    expect(asked.length).toBeGreaterThan(0)
    expect(
      asked.filter((name) => !documented.has(name) && !documented.has(name.replace(/_(bucket|sum|count)$/, ''))),
    ).toEqual([])
  })
})
