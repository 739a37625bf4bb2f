/**
 * Proof: the system is watched by what is shipped. A real Prometheus with the shipped configuration and rules reads a running plant and a real
 * node exporter; every panel of the dashboards that a plant on one machine fills gives data; faults move the panels that are for them
 * (readings stop, a gateway dies, broken lines, a drifted sensor, a full disk); and an alert goes through a real Alertmanager, with the
 * shipped routes, to a webhook, and its end too. The rules pass their unit tests.
 *
 * Times of the rules are shortened, or the proof would take an hour; the unit tests have them as they are.
 *
 *   node scripts/proofs/watching-system.ts
 */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { embeddedDashboards } from '../dashboards/dashboards.ts'
import { type AlertmanagerTools, findAlertmanager, startAlertmanager } from './support/alertmanager.ts'
import { Ballast } from './support/ballast.ts'
import { moved, patienceSeconds, shortened } from './support/moved.ts'
import { reenter } from './support/namespaces.ts'
import { findNodeExporter, startNodeExporter } from './support/node-exporter.ts'
import { PanelQueries } from './support/panel-queries.ts'
import {
  complaintsAboutMetrics,
  findPrometheus,
  type PrometheusTools,
  rulesBeside,
  startPrometheus,
} from './support/prometheus.ts'
import { eventually, type Proof, prove } from './support/proof.ts'
import { post, postReadings, startProofPlant } from './support/proof-plant.ts'
import { mountSmallDisk } from './support/small-disk.ts'
import {
  dayMs,
  historyDays,
  machineCount,
  verdictLines,
  WatchedFleet,
  writeWatchedProject,
} from './support/watched-plant.ts'

const deploy = join(import.meta.dirname, '../../deploy')
const prometheusConfiguration = join(deploy, 'prometheus/prometheus.yml')
const alertmanagerConfiguration = join(deploy, 'alertmanager/alertmanager.yml')
/** The plant keeps 256 MiB for what it has accepted. */
const diskMiB = 700
const ballastBytes = 128 << 20

await prove('watching-system', 900, async (proof) => {
  const tools = findPrometheus()
  const alertTools = findAlertmanager()
  const exporterProgram = findNodeExporter()
  await reenter([['-m'], ['-rm']])
  checkShipped(proof, tools, alertTools)

  const disk = mountSmallDisk(proof, diskMiB)
  const ballast = new Ballast(disk)
  ballast.fill(ballastBytes)
  const project = writeWatchedProject(join(proof.folder, 'project'))
  const plant = await startProofPlant(proof, project, join(disk, 'data'))
  const webhook = await startWebhook(proof)
  const routes = join(proof.folder, 'alertmanager.yml')
  writeFileSync(routes, forTheProof(readFileSync(alertmanagerConfiguration, 'utf8'), webhook.url))
  const alertmanager = await startAlertmanager(alertTools, routes, join(proof.folder, 'alertmanager'))
  proof.onEnd(() => void alertmanager.stop())
  const exporter = await startNodeExporter(exporterProgram)
  proof.onEnd(() => void exporter.stop())
  const folder = join(proof.folder, 'prometheus')
  mkdirSync(folder)
  const targets = {
    millwright: [new URL(plant.url).host],
    node: [exporter.address],
    alertmanager: [new URL(alertmanager.url).host],
    flink: [],
  }
  const prometheus = await startPrometheus(tools, prometheusConfiguration, folder, targets, (text) => shortened(text))
  proof.onEnd(() => void prometheus.stop())
  const panels = new PanelQueries(prometheus, embeddedDashboards)

  const startMs = Math.floor(Date.now() / dayMs - historyDays - 2) * dayMs
  const fleet = new WatchedFleet(plant.url, startMs)
  await eventually('the plant is scraped', patienceSeconds, async () =>
    (await panels.shown('millwright-plant', 'Answers')) === 1 ? true : null,
  )
  await fleet.history()
  const judged = await post(`${plant.url}/api/feedback`, 'application/x-ndjson', Buffer.from(verdictLines(startMs)))
  proof.check(judged.status === 202, 'verdicts of a failure and a false alarm are taken')

  const flowing = async (): Promise<true | null> => {
    await fleet.send(machineCount)
    return (await panels.shown('millwright-plant', 'Readings')) > 1 ? true : null
  }
  await eventually('readings flow', patienceSeconds, flowing)
  proof.check(true, 'readings that flow are seen to flow')
  await moved(proof, 'a sensor that drifted: the drift alarm', async () => {
    await fleet.send(machineCount)
    return (await panels.shown('millwright-model', 'Drift alarms')) >= 1
  })
  await moved(proof, 'the verdict on a false alarm: the count of false alarms', async () => {
    await fleet.send(machineCount)
    return (await panels.shown('millwright-model', 'False alarms')) === 1
  })
  await panels.run()

  await moved(proof, 'a burst of broken lines: dead letters by their reason', async () => {
    await postReadings(plant.url, '{"deviceId":\n'.repeat(50))
    await fleet.send(machineCount)
    return (await panels.shown('millwright-data-quality', 'Dead letters', 1, { reason: 'not-json' })) > 1
  })
  const silencesBefore = await panels.shown('millwright-plant', 'Machines fell silent')
  await moved(proof, 'a dead gateway: half of the machines fall silent, and the others go on', async () => {
    await fleet.send(machineCount / 2)
    const silent = await panels.shown('millwright-data-quality', 'Silent')
    const fell = (await panels.shown('millwright-plant', 'Machines fell silent')) - silencesBefore
    return silent === machineCount / 2 && fell > 1 && (await panels.shown('millwright-plant', 'Readings')) > 1
  })
  await panels.run()
  await moved(proof, 'sources that stop: no readings, while the heartbeat goes on', async () => {
    const readings = await panels.shown('millwright-plant', 'Readings')
    return readings < 0.3 && (await panels.shown('millwright-plant', 'Heartbeat, last seen')) < 5
  })
  await firesAndEnds(proof, { panels, ballast, fleet, webhook })
  await panels.run()
  const without = panels.withoutData()
  proof.check(
    without.length === 0,
    `each of the ${panels.count} queries of ${embeddedDashboards.length} dashboards gave numbers${without.length === 0 ? '' : `, but: ${without.join('; ')}`}`,
  )
  const complaints = await complaintsAboutMetrics(tools, plant.url)
  proof.check(complaints === '', `promtool has nothing against the metrics of the plant ${complaints}`)
  await prometheus.stop()
  await alertmanager.stop()
  await exporter.stop()
  await plant.stop()
})

/** The shipped files, by the tools of those who read them. */
function checkShipped(proof: Proof, { promtool }: PrometheusTools, { amtool }: AlertmanagerTools): void {
  const holds = (claim: string, program: string, ...args: readonly string[]): void => {
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
    proof.check(status === 0, `${claim}${status === 0 ? '' : `: ${stdout}${stderr}`}`)
  }
  holds(
    'promtool has nothing against the configuration and its rules',
    promtool,
    'check',
    'config',
    prometheusConfiguration,
  )
  holds(
    'each alert fires for what it is for and for nothing else',
    promtool,
    'test',
    'rules',
    join(deploy, 'prometheus/rules.test.yml'),
  )
  holds('amtool has nothing against the routes', amtool, 'check-config', alertmanagerConfiguration)
  const broken = join(proof.folder, 'broken')
  mkdirSync(join(broken, 'rules'), { recursive: true })
  for (const path of rulesBeside(prometheusConfiguration))
    writeFileSync(
      join(broken, 'rules', basename(path)),
      readFileSync(path, 'utf8').replace('free_bytes < 5e9', 'free_bytes < 5'),
    )
  const [head, ...tests] = readFileSync(join(deploy, 'prometheus/rules.test.yml'), 'utf8').split(/^(?= {2}- name: )/m)
  const ofDisk = tests.filter((test) => test.startsWith('  - name: DiskSpaceLow'))
  writeFileSync(join(broken, 'rules.test.yml'), [head, ...ofDisk].join(''))
  const { status } = spawnSync(promtool, ['test', 'rules', join(broken, 'rules.test.yml')])
  proof.check(status !== 0, 'and a rule with another threshold does not pass its tests')
}

/** A full disk: the panels move, the alert goes to those on call, and ends when there is room. */
async function firesAndEnds(
  proof: Proof,
  {
    panels,
    ballast,
    fleet,
    webhook,
  }: { panels: PanelQueries; ballast: Ballast; fleet: WatchedFleet; webhook: Webhook },
): Promise<void> {
  const diskFull = (status: string) => (delivery: Delivery) =>
    delivery.alerts.some((alert) => alert.labels['alertname'] === 'DiskFull' && alert.status === status)
  ballast.fillAtOnce()
  await moved(
    proof,
    'a full disk: appends refused for it, free space, and a heartbeat that does not come through',
    async () => {
      await fleet.send(machineCount)
      return (
        (await panels.shown('millwright-pipeline', 'Appends refused', 1, { reason: 'disk-full' })) > 0 &&
        (await panels.shown('millwright-plant', 'Disk', 3)) < 300e6 &&
        (await panels.shown('millwright-plant', 'Heartbeat, last seen')) > 5
      )
    },
  )
  const fired = await eventually('the webhook is told', patienceSeconds, async () => {
    await fleet.send(machineCount)
    return webhook.deliveries.find(diskFull('firing')) ?? null
  })
  const alert = fired.alerts.find(({ labels }) => labels['alertname'] === 'DiskFull')
  proof.check(fired.path === '/on-call', 'DiskFull went through Alertmanager to those on call')
  proof.check(
    alert?.labels['severity'] === 'critical' &&
      alert.annotations['runbook'] === 'docs/guide/runbooks/DiskFull.md' &&
      (alert.annotations['summary'] ?? '').includes('its disk is full'),
    `with its severity, its page and what it is about: ${alert?.annotations['summary']}`,
  )
  ballast.drop()
  await eventually('readings are taken again', patienceSeconds, async () =>
    (await fleet.send(machineCount)) ? true : null,
  )
  await eventually('the webhook is told of the end', patienceSeconds, async () => {
    await fleet.send(machineCount)
    return webhook.deliveries.find(diskFull('resolved')) ?? null
  })
  proof.check(true, 'and when there was room again, they were told of its end')
}

/** The shipped routes, with receivers that listen here and waits in seconds. */
function forTheProof(text: string, webhookUrl: string): string {
  return text
    .replaceAll('http://127.0.0.1:9095', webhookUrl)
    .replace(/group_wait: \d+\w/g, 'group_wait: 1s')
    .replace(/group_interval: \d+\w/g, 'group_interval: 2s')
}

/** What Alertmanager's webhook sends. Source: Alertmanager's documentation, "webhook_config". */
interface Delivery {
  readonly path: string
  readonly alerts: readonly {
    readonly status: 'firing' | 'resolved'
    readonly labels: Readonly<Record<string, string>>
    readonly annotations: Readonly<Record<string, string>>
  }[]
}

interface Webhook {
  readonly url: string
  readonly deliveries: readonly Delivery[]
}

async function startWebhook(proof: Proof): Promise<Webhook> {
  const deliveries: Delivery[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      const { alerts } = JSON.parse(body) as Pick<Delivery, 'alerts'>
      deliveries.push({ path: request.url ?? '', alerts })
      response.end()
    })
  }).listen(0, '127.0.0.1')
  proof.onEnd(() => void server.close())
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, deliveries }
}
