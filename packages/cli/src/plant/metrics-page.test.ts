/** Method: a plant as a user runs it is scraped; what it says, and what it would say of a watched model, is held against the page. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PlantWatch } from '@millwright/monitoring'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { referenceOf, simulatedFleet } from '../../../monitoring/src/testing/simulated-fleet.ts'
import { pressLines, writeProject } from '../commands/command-testing.ts'
import { plantsUntil } from '../commands/plant-testing.ts'
import { watchMetrics } from '../watch/watch-metrics.ts'
import { PlantMetrics } from './metrics.ts'

const startPlant = plantsUntil(onTestFinished)

const folder = mkdtempSync(join(tmpdir(), 'millwright-metrics-'))
afterAll(() => rmSync(folder, { recursive: true }))
const root = join(import.meta.dirname, '../../../..')

type Kinds = Map<string, string>

function kindsOf(exposition: string): Kinds {
  return new Map(
    [...exposition.matchAll(/^# TYPE (millwright_\w+) (\w+)$/gm)].map((match) => [match[1] ?? '', match[2] ?? '']),
  )
}

/** What a plant says of a model that is watched for days, with verdicts. */
async function watchedKinds(): Promise<Kinds> {
  const fleet = { seed: 1, machines: 3, days: 2, correlation: 0.5 }
  const reference = referenceOf(simulatedFleet(fleet))
  const channel = {
    name: 'a',
    min: null,
    max: null,
    mayStandStill: false,
    evidence: [{ feature: 'a', of: 'level' as const }],
  }
  const watch = new PlantWatch({ channels: [channel], marked: false, referenceOf: () => reference })
  const drift = { fromDay: 9, shift: 20, noiseFactor: 1, machines: 3 }
  for (const signal of simulatedFleet({ ...fleet, days: 12, drift }))
    watch.take({ topic: 'alert-signals', appendTimeMs: signal.windowEnd, text: JSON.stringify(signal) })
  const report = watch.report()
  const view = { report, readUpToMs: report.readUpTo, cpuSeconds: 1, isRunning: true, failures: 0 }
  const rendered = await new PlantMetrics({ gauges: () => watchMetrics(view, report.readUpTo ?? 0) }).render()
  return kindsOf(rendered)
}

/** Names as the sources write them, for what only happens in circumstances that this test does not make. */
function namesInSources(): Set<string> {
  const names = new Set<string>()
  for (const room of ['cli', 'gateways', 'operators'])
    for (const path of readdirSync(join(root, 'packages', room, 'src'), { recursive: true, encoding: 'utf8' }))
      if (path.endsWith('.ts') && !path.endsWith('.test.ts'))
        for (const match of readFileSync(join(root, 'packages', room, 'src', path), 'utf8').matchAll(
          /\b[a-z0-9]+(?:_[a-z0-9]+)+\b/g,
        ))
          names.add(match[0])
  return names
}

test('docs/guide/metrics.md names every metric, with its type, and none that does not exist', async () => {
  const project = writeProject(join(folder, 'plant'), "heartbeat: '1 s',")
  const plant = await startPlant(project, '--data', join(folder, 'data'))
  const headers = { 'content-type': 'application/x-ndjson' }
  await fetch(`${plant.url}/api/readings`, { method: 'POST', headers, body: pressLines(0, 2).join('\n') })
  const counted = async (): Promise<string> => await (await fetch(`${plant.url}/metrics`)).text()
  await expect.poll(counted, { timeout: 30_000 }).toContain('millwright_watcher_up 1')
  const scraped = await counted()
  const said = new Map([...kindsOf(scraped), ...(await watchedKinds())])
  await plant.stop()

  const page = readFileSync(join(root, 'docs/guide/metrics.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `millwright_(\w+)` \| (\w+) \| [^|]+ \| [^|]+ \|$/gm)]
  const documented: Kinds = new Map(rows.map((match) => [`millwright_${match[1]}`, match[2] ?? '']))
  expect(rows.length).toBe([...page.matchAll(/^\| `millwright_/gm)].length)
  for (const [name, kind] of said) expect([name, documented.get(name)]).toEqual([name, kind])
  for (const [, name = '', kind] of scraped.matchAll(/^# TYPE (\w+) (\w+)$/gm))
    expect([name, kind === 'counter']).toEqual([name, name.endsWith('_total')])
  const names = namesInSources()
  const unfounded = [...documented.keys()].filter(
    (name) => !said.has(name) && !names.has(name.replace('millwright_', '')),
  )
  expect(unfounded).toEqual([])
  expect(said.has('millwright_drift_machines_alarmed')).toBe(true)
}, 120_000)
