/**
 * Proof: a plant whose operators run on Flink is watched like one on one machine. The same readings and verdicts go to both; the watching
 * process on Kafka is killed in between. Both reports are the same, but for what hangs on when readings were appended; the one on Kafka is the
 * same when it is made anew from the topics, and that of a plain count over them.
 *
 *   node scripts/proofs/cluster-watching.ts [--keep 1]
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { pressPackage, writeProject } from '../../packages/cli/src/commands/command-testing.ts'
import type { DevelopmentCluster } from '../../packages/cluster/src/development/index.ts'
import { type AlertSignal, type MaintenanceFeedback, partitionOf } from '../../packages/core/src/index.ts'
import { defaultVerdictRules, type WatchReport } from '../../packages/monitoring/src/index.ts'
import { naiveVerdicts } from '../../packages/monitoring/src/testing/naive-verdicts.ts'
import { did, startGateway } from './support/commands.ts'
import { eventually, type Proof, prove } from './support/proof.ts'
import { withProofCluster } from './support/proof-cluster.ts'

const name = 'proof-watching'
const startMs = 1_767_571_200_000
const minutesPerDay = 1440
const days = 3
/** The topics of the cluster have three partitions; the last one gets no machine, and must hold nothing back. */
const machines = Array.from({ length: 40 }, (_, n) => `press-${n}`)
  .filter((machine) => partitionOf(machine, 3) !== 2)
  .slice(0, 10)
/** The others' turn to shake does not come. */
const shakingMachines = 7
const settledSecondsMax = 150

const firstVerdicts = [
  verdict('a', 'failure-confirmed', 0, 0, 60),
  verdict('b', 'false-alarm', 1, 90, 150),
  verdict('c', 'missed-failure', 2, 50, 90),
]
const laterVerdicts = [
  verdict('b', 'withdrawn', 1, 90, 150, 1),
  verdict('d', 'false-alarm', 2, 1590, 1650),
  verdict('d', 'false-alarm', 2, 1590, 1650),
]

await prove('cluster-watching', 1200, (proof) => withProofCluster(proof, name, {}, (cluster) => body(proof, cluster)))

async function body(proof: Proof, cluster: DevelopmentCluster): Promise<void> {
  const kafka = ['--kafka', cluster.bootstrapServers.join(',')]
  const flink = ['--flink', cluster.flinkUrl]
  const project = writeProject(join(proof.folder, 'project'), "time: { grace: '0 s', silentAfter: '2 h' },")
  const model = join(proof.folder, 'press.mwmodel')
  writeFileSync(model, pressPackage('1'))
  const data = join(proof.folder, 'data')
  const plant = await startGateway(project, '--data', data)
  proof.onEnd(() => plant.kill())
  await did('models', 'publish', project, model, '--data', data)
  await did('deploy', project, ...flink, ...kafka)
  await did('models', 'publish', project, model, ...kafka)
  const watchFolder = join(proof.folder, 'watch')
  const onKafka = () => startGateway(project, ...kafka, '--data', watchFolder)
  let gateway = await onKafka()
  proof.onEnd(() => gateway.kill())
  // Models come into force a second after they are published.
  await new Promise((resolve) => setTimeout(resolve, 2000))

  const half = (days * minutesPerDay) / 2
  await ingest('first', readings(0, half))
  for (const url of [plant.url, gateway.url]) await post(url, 'feedback', firstVerdicts)
  await eventually('half of the windows watched on Kafka', settledSecondsMax, async () => {
    const report = await reportAt(gateway.url)
    return (report?.records['alert-signals'] ?? 0) >= machines.length * (half - 2) ? report : null
  })
  gateway.kill()
  await ingest('second', readings(half, days * minutesPerDay - 60))
  gateway = await onKafka()
  for (const url of [plant.url, gateway.url]) {
    await post(url, 'readings', readings(days * minutesPerDay - 60, days * minutesPerDay))
    await post(url, 'feedback', laterVerdicts)
  }
  const windows = machines.length * (days * minutesPerDay - 1)
  const settled = (url: string): Promise<WatchReport> =>
    eventually(`everything watched at ${url}`, settledSecondsMax, async () => {
      const report = await reportAt(url)
      return report?.records['alert-signals'] === windows && report.records['maintenance-feedback'] === 6
        ? report
        : null
    })
  await Promise.all([settled(plant.url), settled(gateway.url)])
  // Drift is judged ten seconds after the windows that pass its day.
  const [embedded, clustered] = await eventually('the same reports', settledSecondsMax, async () => {
    const both = [await reportAt(plant.url), await reportAt(gateway.url)] as const
    return isDeepStrictEqual(comparable(both[0]), comparable(both[1])) ? both : null
  }).catch(async () => [await reportAt(plant.url), await reportAt(gateway.url)] as const)
  const differing = differenceOf(comparable(embedded), comparable(clustered))
  proof.check(differing === null, `verdicts, drift, estimates and data quality are the same on both ${differing ?? ''}`)
  const watched = clustered?.models[0]
  proof.check(
    (watched?.drift?.fleetPeriodsJudged ?? 0) === days - 1 &&
      watched?.falseAlertsTotal === 2 &&
      (clustered?.quality.totals.lateReadings ?? 0) > 0 &&
      (clustered?.records['dead-letters'] ?? 0) > 0,
    `and there was something to see: ${JSON.stringify({ windows: watched?.windows, events: watched?.events, failures: watched?.failures, driftDays: watched?.drift?.fleetPeriodsJudged, verdicts: clustered?.verdicts, records: clustered?.records })}`,
  )

  const folder = join(proof.folder, 'anew')
  const anew: WatchReport & { plant?: string } = JSON.parse(
    (await did('report', project, '--anew', '--json', ...kafka, '--data', folder)).stdout,
  )
  delete anew.plant
  const different = differenceOf(clustered, anew)
  proof.check(
    different === null,
    `after a kill -9 the report on Kafka is that made anew from the topics ${different ?? ''}`,
  )

  const exported = async <T>(topic: string): Promise<T[]> => {
    const { stdout } = await did('topics', 'export', topic, ...kafka)
    return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]))
  }
  const wanted = naiveVerdicts(
    await exported<AlertSignal>('alert-signals'),
    await exported<MaintenanceFeedback>('maintenance-feedback'),
    defaultVerdictRules,
  )['1']
  const counted = {
    windows: watched?.windows,
    events: watched?.events,
    caught: watched?.failures.caught,
    missed: watched?.failures.missed,
  }
  const { windows: plainWindows, events, caught, missed } = wanted ?? {}
  const unlike = differenceOf(counted, { windows: plainWindows, events, caught, missed })
  proof.check(unlike === null, `its verdicts are those of a plain count over the topics ${unlike ?? ''}`)

  const casesOf = async (...from: readonly string[]): Promise<unknown> =>
    byCase((await did('topics', 'export', 'cases', ...from)).stdout)
  const [plainCases, clusteredCases] = [await casesOf('--data', data), await casesOf(...kafka)]
  const unequal = differenceOf(plainCases, clusteredCases)
  proof.check(
    unequal === null && Object.keys(plainCases as object).length === shakingMachines,
    `and cases are the same on both, ${Object.keys(plainCases as object).length} of them, each message once ${unequal ?? ''}`,
  )

  const metrics = await Promise.all([plant.url, gateway.url].map(async (url) => modelMetrics(url)))
  const [plain = [], ofKafka = []] = metrics.map((text) => text.split('\n'))
  const unlikeLines = [
    ...plain.filter((line) => !ofKafka.includes(line)),
    ...ofKafka.filter((line) => !plain.includes(line)),
  ]
  proof.check(
    unlikeLines.length === 0 && plain.length > 20,
    `and so are ${plain.length} lines of metrics ${unlikeLines.join(' | ')}`,
  )
  proof.say((await metricsAt(gateway.url)).filter((line) => /^millwright_watcher_(?:cpu|lag)/.test(line)).join(', '))
  await plant.stop()
  await gateway.stop()
  await did('cancel', project, ...flink, '--without-savepoint')

  async function ingest(part: string, lines: readonly string[]): Promise<void> {
    const input = join(proof.folder, `${part}.ndjson`)
    writeFileSync(input, lines.join('\n'))
    await did('ingest', project, '--input', input, '--data', data)
    await did('ingest', project, '--input', input, ...kafka)
  }
}

/** Without what hangs on when readings were appended: that time itself, when the oldest case was opened by it, and to which day a machine's refusals are counted while days are read in within seconds. */
function comparable(report: WatchReport | null): unknown {
  if (report === null) return null
  const { quality, cases } = report
  return {
    ...report,
    readUpTo: null,
    quality: { ...quality, worst: [] },
    cases: { ...cases, oldestOpenedAt: null, oldestUntakenAt: null },
  }
}

/** Messages of `cases` by case, in their order, without append times. */
function byCase(ndjson: string): Record<string, unknown[]> {
  const cases: Record<string, unknown[]> = {}
  for (const line of ndjson.split('\n')) {
    if (line === '') continue
    const message = { ...JSON.parse(line), at: null, openedAt: null, acknowledgedAt: null, resolvedAt: null }
    cases[message.caseId] = [...(cases[message.caseId] ?? []), message]
  }
  return cases
}

/** The first field that differs, with both values; `null` where none does. */
function differenceOf(left: unknown, right: unknown, path = ''): string | null {
  if (isDeepStrictEqual(left, right)) return null
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
  if (isObject(left) && isObject(right))
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      const found = differenceOf(left[key], right[key], `${path}.${key}`)
      if (found !== null) return found
    }
  return `(${path}: ${JSON.stringify(left)} and ${JSON.stringify(right)})`
}

async function reportAt(url: string): Promise<WatchReport | null> {
  const response = await fetch(`${url}/api/model`)
  return response.ok ? ((await response.json()) as WatchReport) : null
}

async function metricsAt(url: string): Promise<string[]> {
  return (await (await fetch(`${url}/metrics`)).text()).split('\n')
}

/** Of the report: not which model is in force and since when, which the engine says, nor what operators count. */
async function modelMetrics(url: string): Promise<string> {
  const lines = await metricsAt(url)
  return lines
    .filter((line) => /^millwright_(?:model|drift|false|verdicts|quality|machines)_/.test(line))
    .filter((line) => !/^millwright_model_(?:activ|in_force)/.test(line))
    .join('\n')
}

async function post(url: string, to: 'readings' | 'feedback', lines: readonly string[]): Promise<void> {
  const headers = { 'content-type': 'application/x-ndjson' }
  const response = await fetch(`${url}/api/${to}`, { method: 'POST', headers, body: lines.join('\n') })
  if (response.status !== 202) throw new Error(`${to}: ${response.status} ${await response.text()}`)
}

/** Of all machines, one each twenty seconds: some shake for a while, one drifts, one sends what is none, one is late. */
function readings(fromMinute: number, toMinute: number): string[] {
  const lines: string[] = []
  for (let minute = fromMinute; minute < toMinute; minute++)
    for (let second = 0; second < 60; second += 20)
      for (const [n, deviceId] of machines.entries()) {
        const timestamp = startMs + minute * 60_000 + second * 1000
        const shakes = minute % 700 >= 100 * n && minute % 700 < 100 * n + 40
        const drifted = n < 7 && minute > minutesPerDay ? 0.25 : 0
        const vibration = shakes ? 3.5 : 1.2 + drifted + ((minute * 7 + n * 13 + second) % 50) / 100
        const reading = { deviceId, timestamp, temperature: 40 + ((minute + second + n) % 7), vibration }
        lines.push(JSON.stringify(reading))
        if (n === 3 && minute % 97 === 0) lines.push(JSON.stringify({ ...reading, timestamp: 'soon' }))
        if (n === 4 && minute % 89 === 5) lines.push(JSON.stringify({ ...reading, timestamp: timestamp - 200_000 }))
      }
  return lines
}

function verdict(id: string, kind: string, machine: number, from: number, to: number, revision = 0): string {
  const at = (minute: number): number => startMs + minute * 60_000
  return JSON.stringify({
    id,
    revision,
    deviceId: machines[machine],
    verdict: kind,
    from: at(from),
    to: at(to),
    recordedAt: at(days * minutesPerDay),
    model: { name: 'press', version: '1' },
  })
}
