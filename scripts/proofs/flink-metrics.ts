/**
 * Proof: with the Prometheus configuration that is shipped (`deploy/prometheus/prometheus.yml`), what the operators count on Flink has the names and labels
 * that it has on one machine, and over the same readings the same values. A real Prometheus reads a real task manager and a real plant.
 *
 *   node scripts/proofs/flink-metrics.ts [--keep 1]
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pressPackage, writeProject } from '../../packages/cli/src/commands/command-testing.ts'
import type { DevelopmentCluster } from '../../packages/cluster/src/development/index.ts'
import { did, startGateway } from './support/commands.ts'
import { complaintsAboutMetrics, findPrometheus, type Series, startPrometheus } from './support/prometheus.ts'
import { eventually, type Proof, prove } from './support/proof.ts'
import { withProofCluster } from './support/proof-cluster.ts'

const name = 'proof-metrics'
const shipped = join(import.meta.dirname, '../../deploy/prometheus/prometheus.yml')
const startMs = 1_767_571_200_000
/** Labels that tell who counted, not what. */
const whoCounted = ['__name__', 'instance', 'job']

await prove('flink-metrics', 1200, (proof) => withProofCluster(proof, name, {}, (cluster) => body(proof, cluster)))

async function body(proof: Proof, cluster: DevelopmentCluster): Promise<void> {
  const tools = findPrometheus()
  const checked = spawnSync(tools.promtool, ['check', 'config', shipped], { encoding: 'utf8' })
  proof.check(checked.status === 0, `promtool has nothing against the configuration ${checked.stderr}`)
  const kafka = ['--kafka', cluster.bootstrapServers.join(',')]
  const flink = ['--flink', cluster.flinkUrl]
  const project = writeProject(join(proof.folder, 'project'), "time: { grace: '0 s' },")
  const model = join(proof.folder, 'press.mwmodel')
  writeFileSync(model, pressPackage('1'))
  const input = join(proof.folder, 'readings.ndjson')
  writeFileSync(input, linesOf().join('\n'))

  const data = join(proof.folder, 'data')
  const plant = await startGateway(project, '--data', data)
  proof.onEnd(() => plant.kill())
  await did('models', 'publish', project, model, '--data', data)
  await did('deploy', project, ...flink, ...kafka)
  await did('models', 'publish', project, model, ...kafka)
  // Models come into force a second after they are published.
  await new Promise((resolve) => setTimeout(resolve, 2000))
  await did('ingest', project, '--input', input, '--data', data)
  await did('ingest', project, '--input', input, ...kafka)

  const targets = {
    millwright: [new URL(plant.url).host],
    flink: (['task-manager-1', 'task-manager-2'] as const).map((role) => new URL(cluster.metricsUrl(role)).host),
  }
  const prometheus = await startPrometheus(tools, shipped, join(proof.folder, 'prometheus'), targets)
  const operatorCounters =
    /^millwright_(?:readings|values|redelivered|late|window|windows|alerts|heartbeat_readings|heartbeat_windows|devices|device_events|model_activations|timers|dead_letters)_/
  const counted = async (job: string): Promise<Map<string, number>> => {
    const series = await prometheus.query(`{__name__=~"millwright_.+_total",job="${job}"}`)
    return summed(
      series.filter(({ labels }) => operatorCounters.test(labels['__name__'] ?? '')),
      job,
    )
  }
  const [embedded, onFlink] = await eventually('the same counts', 180, async () => {
    const both = [await counted('millwright'), await counted('flink')] as const
    return both[0].size > 0 && [...both[0]].every(([series, value]) => both[1].get(series) === value) ? both : null
  }).catch(async () => [await counted('millwright'), await counted('flink')] as const)
  const missing = [...embedded.keys()].filter((series) => !onFlink.has(series))
  const differing = [...embedded].filter(([series, value]) => onFlink.has(series) && onFlink.get(series) !== value)
  proof.check(
    embedded.size > 30 && missing.length === 0,
    `every one of ${embedded.size} counters of the operators has its name and labels on Flink too ${missing.join(', ')}`,
  )
  const others = [...onFlink.keys()].filter((series) => !embedded.has(series))
  proof.check(others.length === 0, `and there is none that one machine does not have ${others.join(', ')}`)
  const moved = [...embedded].filter(([, value]) => value > 0)
  proof.check(
    moved.length >= 8 && differing.length === 0,
    `over the same readings they count the same, ${moved.length} of them above 0: ${moved.map(([series, value]) => `${series} ${value}`).join(', ')} ${differing.map(([series, value]) => `(${series}: ${value} on one machine, ${onFlink.get(series)} on Flink)`).join(' ')}`,
  )
  const plants = await prometheus.query('count by (plant) (millwright_readings_in_total{job="flink"})')
  proof.check(plants.length === 1 && plants[0]?.labels['plant'] === 'press-shop', 'each carries the name of its plant')
  await prometheus.stop()
  const gateway = await startGateway(project, ...kafka, '--data', join(proof.folder, 'gateway'))
  proof.onEnd(() => gateway.kill())
  // It tells of cases once its watcher has reported.
  await eventually('the report of the watcher', 60, async () =>
    (await (await fetch(`${gateway.url}/metrics`)).text()).includes('millwright_cases{') ? true : null,
  )
  for (const { url } of [plant, gateway]) {
    const complaints = await complaintsAboutMetrics(tools, url)
    const whose = url === plant.url ? 'the plant' : 'a gateway on Kafka'
    proof.check(complaints === '', `promtool has nothing against the metrics of ${whose} ${complaints}`)
  }
  await gateway.stop()
  await plant.stop()
  await did('cancel', project, ...flink, '--without-savepoint')
}

/** Sums series over what counted them; the key is the name and what is left of the labels. */
function summed(series: readonly Series[], job: string): Map<string, number> {
  const ofFlink = (label: string): boolean =>
    /^(?:host|tm_id|job_id|job_name|task_id|task_name|task_attempt_id|task_attempt_num|subtask_index|operator_id|operator_name|plant)$/.test(
      label,
    )
  const sums = new Map<string, number>()
  for (const { labels, value } of series) {
    const what = Object.entries(labels)
      .filter(([label]) => !whoCounted.includes(label) && !(job === 'flink' && ofFlink(label)))
      .map(([label, text]) => `${label}="${text}"`)
      .sort()
    const key = `${labels['__name__']}{${what.join(',')}}`
    sums.set(key, (sums.get(key) ?? 0) + value)
  }
  return sums
}

/** Good readings, and some of each kind of trouble. */
function linesOf(): string[] {
  const lines: string[] = []
  for (let minute = 0; minute < 10; minute++)
    for (let device = 0; device < 20; device++) {
      const timestamp = startMs + minute * 60_000 + device
      const reading = { deviceId: `press-${device}`, timestamp, temperature: 40, vibration: device % 4 === 0 ? 3.5 : 1 }
      lines.push(JSON.stringify(reading))
      if (device === 1) lines.push(JSON.stringify(reading))
      if (device === 2) lines.push(JSON.stringify({ ...reading, temperature: 140 }))
      if (device === 3 && minute > 3) lines.push(JSON.stringify({ ...reading, timestamp: timestamp - 180_000 }))
      if (device === 4) lines.push('{"deviceId":')
      if (device === 5) lines.push(JSON.stringify({ deviceId: 'press-5', timestamp: 1, temperature: 'warm' }))
      if (device === 6) lines.push(JSON.stringify({ ...reading, timestamp: 4e12 }))
    }
  return lines
}
