/**
 * Proof: the system is watched by what is shipped. A real Prometheus with the shipped configuration and rules reads a running plant and a real
 * node exporter; every panel of the dashboards that a plant on one machine fills gives data; real faults move the panels that are for them and
 * have the alerts fire that are for them, which end when the fault is taken out: broken, late and impossible readings, a dead gateway, sources
 * that stop, a drifted sensor, a slow, a nearly full and a full disk, a clock that is set back, a watcher that ends, cases that nobody takes, a
 * channel that is away and one that refuses, a plant that is killed. One goes through a real Alertmanager, with the shipped routes, to a
 * webhook, and its end too. The rules pass their unit tests; those that no fault fires here are named.
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
import { killPlant, ProcessFaults, startFaultyPlant } from './support/faulty-plant.ts'
import { freePort } from './support/free-port.ts'
import { moved, patienceSeconds, shortened } from './support/moved.ts'
import { reenter } from './support/namespaces.ts'
import { findNodeExporter, startNodeExporter } from './support/node-exporter.ts'
import { startReceiver } from './support/notified-peers.ts'
import { PanelQueries } from './support/panel-queries.ts'
import {
  complaintsAboutMetrics,
  findPrometheus,
  type PrometheusTools,
  rulesBeside,
  startPrometheus,
} from './support/prometheus.ts'
import { eventually, type Proof, pause, prove } from './support/proof.ts'
import { post } from './support/proof-plant.ts'
import { mountSmallDisk } from './support/small-disk.ts'
import {
  dayMs,
  historyDays,
  machineCount,
  verdictLines,
  WatchedFleet,
  writeWatchedProject,
} from './support/watched-plant.ts'
import { type AlertFault, faultsOfCases, faultsOfReadings } from './watching-system/alert-faults.ts'
import { RuleWatch } from './watching-system/rule-watch.ts'

const deploy = join(import.meta.dirname, '../../deploy')
const prometheusConfiguration = join(deploy, 'prometheus/prometheus.yml')
const alertmanagerConfiguration = join(deploy, 'alertmanager/alertmanager.yml')
/** Of the channel of notifications, which tells of comments alone. */
const secret = 'sixteen-characters-at-least'
/** The plant keeps 256 MiB for what it has accepted. */
const diskMiB = 700
const ballastBytes = 128 << 20

await prove('watching-system', 1500, async (proof) => {
  const tools = findPrometheus()
  const alertTools = findAlertmanager()
  const exporterProgram = findNodeExporter()
  await reenter([['-m'], ['-rm']])
  checkShipped(proof, tools, alertTools)

  const disk = mountSmallDisk(proof, diskMiB)
  const ballast = new Ballast(disk)
  ballast.fill(ballastBytes)
  const tickets = await startReceiver(secret)
  const project = writeWatchedProject(
    join(proof.folder, 'project'),
    `notify: [{ kind: 'webhook', name: 'tickets', url: 'http://127.0.0.1:${tickets.port}/', secretFile: 'secret', on: ['commented'] }],`,
  )
  writeFileSync(join(project, 'secret'), secret)
  const faults = new ProcessFaults(proof.folder)
  const where = { project, data: join(disk, 'data'), port: await freePort() }
  let plant = await startFaultyPlant(proof, faults, where)
  const webhook = await startWebhook(proof)
  const routes = join(proof.folder, 'alertmanager.yml')
  writeFileSync(routes, forTheProof(readFileSync(alertmanagerConfiguration, 'utf8'), webhook.url))
  const alertmanager = await startAlertmanager(alertTools, routes, join(proof.folder, 'alertmanager'))
  proof.onEnd(() => void alertmanager.stop())
  let exporter = await startNodeExporter(exporterProgram)
  proof.onEnd(() => void exporter.stop())
  const folder = join(proof.folder, 'prometheus')
  mkdirSync(folder)
  const targets = {
    millwright: [new URL(plant.url).host],
    node: [exporter.address],
    alertmanager: [new URL(alertmanager.url).host],
    flink: [],
  }
  const prometheus = await startPrometheus(tools, prometheusConfiguration, folder, targets, (text) =>
    forThisPlant(shortened(text)),
  )
  proof.onEnd(() => void prometheus.stop())
  const panels = new PanelQueries(prometheus, embeddedDashboards)
  const rules = new RuleWatch(prometheus, join(deploy, 'prometheus/rules/alerts.yml'))

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

  await moved(proof, 'and its alert fires: DriftAlarm', async () => {
    await fleet.send(machineCount)
    return (await rules.firing(['DriftAlarm'])).length === 1
  })
  rules.fired.add('DriftAlarm')

  const place = { ...where, url: plant.url, fleet, panels, faults, tickets }
  const put = (fault: AlertFault): Promise<void> => firesAndEnds(proof, { rules, fleet }, fault)
  for (const fault of faultsOfCases(place)) await put(fault)
  // The watcher begins anew a minute later: what does not need it comes meanwhile.
  const [ofLines, ofGateway, ...withoutWatcher] = faultsOfReadings(place)
  for (const fault of [ofLines, ofGateway]) if (fault !== undefined) await put(fault)
  await panels.run()
  faults.endWatcher()
  await moved(proof, "the watcher's thread ends: WatcherDown fires", async () => {
    await fleet.send(machineCount)
    return (await rules.firing(['WatcherDown'])).length === 1
  })
  rules.fired.add('WatcherDown')
  for (const fault of withoutWatcher) await put(fault)
  await fullDisk(proof, { panels, rules, ballast, fleet, webhook })
  await moved(proof, 'the watcher has begun anew: WatcherDown has ended', async () => {
    await fleet.send(machineCount)
    return (await rules.firing(['WatcherDown'])).length === 0
  })
  await panels.run()
  const without = panels.withoutData()
  proof.check(
    without.length === 0,
    `each of the ${panels.count} queries of ${embeddedDashboards.length} dashboards gave numbers${without.length === 0 ? '' : `, but: ${without.join('; ')}`}`,
  )
  const complaints = await complaintsAboutMetrics(tools, plant.url)
  proof.check(complaints === '', `promtool has nothing against the metrics of the plant ${complaints}`)
  await put({
    what: 'a plant that is killed, and a node exporter that has ended',
    alerts: ['PlantDown', 'NodeExporterDown'],
    begin: async () => {
      await killPlant(plant)
      await exporter.stop()
    },
    during: async () => pause(200),
    end: async () => {
      plant = await startFaultyPlant(proof, faults, where)
      exporter = await startNodeExporter(exporterProgram, exporter.address)
    },
  })
  const others = rules.names.filter((name) => !rules.fired.has(name))
  proof.check(rules.fired.size >= 19, `a fault has fired ${rules.fired.size} of ${rules.names.length} alerts`)
  proof.say(`by their unit tests alone: ${others.join(', ')}`)
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

/** Puts a fault in, sees its alerts fire and its panels move, takes it out, and sees them end. */
async function firesAndEnds(
  proof: Proof,
  { rules, fleet }: { readonly rules: RuleWatch; readonly fleet: WatchedFleet },
  { what, alerts, begin, during, shows, end }: AlertFault,
): Promise<void> {
  const flow = async (): Promise<void> => void (await fleet.send(machineCount))
  await begin?.()
  await moved(proof, `${what}: ${alerts.join(', ')} fire${alerts.length === 1 ? 's' : ''}`, async () => {
    await (during ?? flow)()
    return (await rules.firing(alerts)).length === alerts.length && (await (shows ?? isSo)())
  })
  await end?.()
  await moved(proof, `and end${alerts.length === 1 ? 's' : ''} when that has`, async () => {
    await flow()
    return (await rules.firing(alerts)).length === 0
  })
  for (const name of alerts) rules.fired.add(name)
}

async function isSo(): Promise<boolean> {
  return true
}

/** A full disk: the panels move, the alert goes to those on call, and ends when there is room. */
async function fullDisk(
  proof: Proof,
  use: {
    readonly panels: PanelQueries
    readonly rules: RuleWatch
    readonly ballast: Ballast
    readonly fleet: WatchedFleet
    readonly webhook: Webhook
  },
): Promise<void> {
  const { panels, rules, ballast, fleet, webhook } = use
  const diskFull = (status: string) => (delivery: Delivery) =>
    delivery.alerts.some((alert) => alert.labels['alertname'] === 'DiskFull' && alert.status === status)
  await firesAndEnds(
    proof,
    { rules, fleet },
    {
      what: 'a full disk: appends refused for it, free space, and a heartbeat that does not come through',
      alerts: ['DiskFull', 'DiskSpaceLow', 'RequestsFail', 'HeartbeatAbsent'],
      begin: () => ballast.fillAtOnce(),
      shows: async () =>
        (await panels.shown('millwright-pipeline', 'Appends refused', 1, { reason: 'disk-full' })) > 0 &&
        (await panels.shown('millwright-plant', 'Disk', 3)) < 300e6 &&
        (await panels.shown('millwright-plant', 'Heartbeat, last seen')) > 5 &&
        webhook.deliveries.some(diskFull('firing')),
      end: () => ballast.drop(),
    },
  )
  const fired = webhook.deliveries.find(diskFull('firing'))
  const alert = fired?.alerts.find(({ labels }) => labels['alertname'] === 'DiskFull')
  proof.check(fired?.path === '/on-call', 'DiskFull went through Alertmanager to those on call')
  proof.check(
    alert?.labels['severity'] === 'critical' &&
      alert.annotations['runbook'] === 'docs/guide/runbooks/DiskFull.md' &&
      (alert.annotations['summary'] ?? '').includes('its disk is full'),
    `with its severity, its page and what it is about: ${alert?.annotations['summary']}`,
  )
  await moved(proof, 'and when there was room again, they were told of its end', async () => {
    await fleet.send(machineCount)
    return webhook.deliveries.some(diskFull('resolved'))
  })
}

/**
 * What the shared shortening leaves: times and sizes within the rules; a small disk for a large one; and for silences a range that holds two
 * reports of the watcher, ten seconds apart: machines that fall silent together may be in both.
 */
function forThisPlant(text: string): string {
  return text
    .replaceAll('silences_total[10s]', 'silences_total[30s]')
    .replace('offset 10m', 'offset 10s')
    .replace('_seconds, 60)', '_seconds, 12)')
    .replace('p99_10m > 30', 'p99_10m > 3')
    .replace('> 28800', '> 5')
    .replace('> 900', '> 5')
    .replace('free_bytes < 5e9', 'free_bytes < 300e6')
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
