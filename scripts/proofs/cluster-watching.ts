/**
 * Proof: a plant whose operators run on Flink is watched like one on one machine. The same readings and verdicts go to both; in between the
 * watching process on Kafka is killed, and the job is replaced by that of a changed project while an alert stands. Alerts, both reports and cases are
 * the same, but for what hangs on when readings were appended; the report on Kafka is the same when it is made anew from the topics, and
 * that of a plain count over them. Then people answer cases on Kafka, while gateways and a broker are killed; and a real Prometheus with
 * what is shipped for it reads all of that, and an outage of Flink.
 *
 *   node scripts/proofs/cluster-watching.ts [--outage 0] [--keep 1]
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { pressPackage } from '../../packages/cli/src/commands/command-testing.ts'
import type { DevelopmentCluster } from '../../packages/cluster/src/development/index.ts'
import type { AlertSignal, CaseMessage, MaintenanceFeedback } from '../../packages/core/src/index.ts'
import { defaultVerdictRules, type WatchReport } from '../../packages/monitoring/src/index.ts'
import { naiveVerdicts } from '../../packages/monitoring/src/testing/naive-verdicts.ts'
import { caseTrouble } from './cluster-watching/case-trouble.ts'
import { alertMarks, byCase, comparable, comparableCases, differenceOf } from './cluster-watching/compared.ts'
import {
  addHeartbeat,
  changeProject,
  days,
  firstVerdicts,
  halfMinute,
  historyMinutes,
  laterVerdicts,
  machines,
  readings,
  shakingMachines,
  standingMachine,
  writeWatchedProject,
} from './cluster-watching/fleet.ts'
import { exported, metricsAt, modelMetrics, post, reportAt } from './cluster-watching/gateway-requests.ts'
import { SystemWatched } from './cluster-watching/system-watched.ts'
import { did, type RunningGateway, startGateway } from './support/commands.ts'
import { findPrometheus } from './support/prometheus.ts'
import { eventually, numberArgument, type Proof, prove } from './support/proof.ts'
import { withProofCluster } from './support/proof-cluster.ts'

const name = 'proof-watching'
const settledSecondsMax = 150
/** Whether Flink is taken away for a while, which costs a minute. */
const withOutage = numberArgument('outage', 1) !== 0
/** What the watcher takes waits for checkpoints; every ten seconds the proof would mostly wait. */
const switches = { flink: { 'execution.checkpointing.interval': '3 s' } }

await prove('cluster-watching', 1800, (proof) =>
  withProofCluster(proof, name, switches, (cluster) => body(proof, cluster)),
)

async function body(proof: Proof, cluster: DevelopmentCluster): Promise<void> {
  const tools = findPrometheus()
  const kafka = ['--kafka', cluster.bootstrapServers.join(',')]
  const flink = ['--flink', cluster.flinkUrl]
  const project = writeWatchedProject(join(proof.folder, 'project'))
  const model = join(proof.folder, 'press.mwmodel')
  writeFileSync(model, pressPackage('1'))
  const data = join(proof.folder, 'data')
  const plant = await startGateway(project, '--data', data)
  proof.onEnd(() => plant.kill())
  await did('models', 'publish', project, model, '--data', data)
  await did('deploy', project, ...flink, ...kafka)
  await did('models', 'publish', project, model, ...kafka)
  const onKafka = (folder: string) => startGateway(project, ...kafka, '--data', join(proof.folder, folder))
  let gateway = await onKafka('first')
  proof.onEnd(() => gateway.kill())
  // Models come into force a second after they are published.
  await new Promise((resolve) => setTimeout(resolve, 2000))

  await ingest('first', readings(0, halfMinute))
  for (const url of [plant.url, gateway.url]) await post(url, 'feedback', firstVerdicts)
  await eventually('half of the windows watched on Kafka', settledSecondsMax, async () => {
    const report = await reportAt(gateway.url)
    return (report?.records['alert-signals'] ?? 0) >= machines.length * (halfMinute - 1) ? report : null
  })
  gateway.kill()
  changeProject(project)
  await did('deploy', project, ...flink, ...kafka)
  await ingest('second', readings(halfMinute, historyMinutes - 60))
  gateway = await onKafka('first')
  for (const url of [plant.url, gateway.url]) {
    await post(url, 'readings', readings(historyMinutes - 60, historyMinutes))
    await post(url, 'feedback', laterVerdicts)
  }
  const windows = machines.length * (historyMinutes - 1)
  const settled = (url: string): Promise<WatchReport> =>
    eventually(`everything watched at ${url}`, settledSecondsMax, async () => {
      const report = await reportAt(url)
      return report?.records['alert-signals'] === windows && report.records['maintenance-feedback'] === 6
        ? report
        : null
    })
  await Promise.all([settled(plant.url), settled(gateway.url)])
  // Drift is judged ten seconds after the windows that pass its day: until then both may be the same, and not yet what they come to.
  const [embedded, clustered] = await eventually('the same reports', settledSecondsMax, async () => {
    const both = [await reportAt(plant.url), await reportAt(gateway.url)] as const
    const areJudged = both.every((report) => report?.models[0]?.drift?.fleetPeriodsJudged === days - 1)
    return areJudged && isDeepStrictEqual(comparable(both[0]), comparable(both[1])) ? both : null
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

  const signals = await exported<AlertSignal>('alert-signals', ...kafka)
  const wanted = naiveVerdicts(
    signals,
    await exported<MaintenanceFeedback>('maintenance-feedback', ...kafka),
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

  const marks = alertMarks(signals)
  const unmarked = differenceOf(alertMarks(await exported<AlertSignal>('alert-signals', '--data', data)), marks)
  const raisings = (marks[standingMachine] ?? []).filter((mark) => mark.includes('"raising"')).length
  const clearings = (marks[standingMachine] ?? []).filter((mark) => mark.includes('"clearing"')).length
  proof.check(
    unmarked === null && raisings === Math.ceil(historyMinutes / 700) && clearings === raisings,
    `each alert is raised, held and cleared in the same windows on both, also the one that stood while the job was replaced: ${standingMachine} ${raisings} times ${unmarked ?? ''}`,
  )

  const [plainCases, clusteredCases] = [
    await exported<CaseMessage>('cases', '--data', data),
    await exported<CaseMessage>('cases', ...kafka),
  ]
  const unequal = differenceOf(comparableCases(plainCases), comparableCases(clusteredCases))
  proof.check(
    unequal === null && byCase(plainCases).size === shakingMachines,
    `and cases are the same on both, ${byCase(plainCases).size} of them, each message once ${unequal ?? ''}`,
  )

  const [plain, ofKafka] = [await modelMetrics(plant.url), await modelMetrics(gateway.url)]
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

  // The gateway alone sends heartbeats: the job runs on.
  await gateway.stop()
  addHeartbeat(project)
  const system = await SystemWatched.start(proof, cluster, tools)
  const watchedGateway = async (of: string): Promise<RunningGateway> => {
    const started = await onKafka(of)
    system.add(started.url)
    return started
  }
  gateway = await watchedGateway('first')
  await system.heartbeatComes()
  await caseTrouble({ proof, cluster, kafka, first: gateway, another: watchedGateway })
  await system.fires('PlantDown fires for the gateways that are gone', 'PlantDown')
  await system.everyPanelGivesData(gateway.url)
  if (withOutage) await system.outage(gateway.url)
  await system.keepsUp()
  await gateway.stop()
  await system.fallsBehind()
  await did('cancel', project, ...flink, '--without-savepoint')
  await system.fires('FlinkJobDown fires for a job that was cancelled', 'FlinkJobDown')
  await system.stop()

  async function ingest(part: string, lines: readonly string[]): Promise<void> {
    const input = join(proof.folder, `${part}.ndjson`)
    writeFileSync(input, lines.join('\n'))
    await did('ingest', project, '--input', input, '--data', data)
    await did('ingest', project, '--input', input, ...kafka)
  }
}
