import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DevelopmentCluster } from '../../../packages/cluster/src/development/index.ts'
import { dashboards } from '../../dashboards/dashboards.ts'
import { moved, shortened } from '../support/moved.ts'
import { findNodeExporter, startNodeExporter } from '../support/node-exporter.ts'
import { PanelQueries } from '../support/panel-queries.ts'
import { type PrometheusTools, type RunningPrometheus, startPrometheus } from '../support/prometheus.ts'
import { type Proof, pause } from '../support/proof.ts'
import { historyMinutes, readings } from './fleet.ts'
import { metricsAt } from './gateway-requests.ts'

const root = join(import.meta.dirname, '../../..')
const shipped = join(root, 'deploy/prometheus/prometheus.yml')
const forSeconds = 2
/** The shipped rule waits for 100,000: the proof's machines would need minutes for so many. */
const lagMax = 200
/** The shipped rule waits for a minute at least. */
const heartbeatAgeSecondsMax = 15
/** The shipped rule waits for five minutes. */
const behindSecondsMax = 20
const taskManagers = ['task-manager-1', 'task-manager-2'] as const

/** What a real Prometheus, with what is shipped for it, sees of gateways, the job and Flink. */
export class SystemWatched {
  readonly #proof: Proof
  readonly #cluster: DevelopmentCluster
  readonly #prometheus: RunningPrometheus
  readonly #panels: PanelQueries
  readonly #gateways: string[] = []
  /** After what the machines sent before. */
  #minute = historyMinutes + 60

  private constructor(proof: Proof, cluster: DevelopmentCluster, prometheus: RunningPrometheus) {
    this.#proof = proof
    this.#cluster = cluster
    this.#prometheus = prometheus
    this.#panels = new PanelQueries(prometheus, dashboards)
  }

  static async start(proof: Proof, cluster: DevelopmentCluster, tools: PrometheusTools): Promise<SystemWatched> {
    const exporter = await startNodeExporter(findNodeExporter())
    proof.onEnd(() => void exporter.stop())
    const folder = join(proof.folder, 'prometheus')
    mkdirSync(folder)
    const flink = (['job-manager', ...taskManagers] as const).map((role) => new URL(cluster.metricsUrl(role)).host)
    const targets = { millwright: [], node: [exporter.address], alertmanager: [], flink }
    const prometheus = await startPrometheus(tools, shipped, folder, targets, forTheProof)
    proof.onEnd(() => void prometheus.stop())
    return new SystemWatched(proof, cluster, prometheus)
  }

  /** Has another gateway read. */
  add(url: string): void {
    this.#gateways.push(new URL(url).host)
    this.#prometheus.retarget('millwright', this.#gateways)
  }

  /** That the heartbeat goes from the door through Flink to an alert, and its latency is known. */
  async heartbeatComes(): Promise<void> {
    let latencySeconds = 0
    await moved(
      this.#proof,
      'the heartbeat goes through Kafka and Flink to an alert, and how long it takes is a metric',
      async () => {
        latencySeconds = await this.#panels.shown('millwright-cluster', 'Heartbeat, from door to alert')
        const ageSeconds = await this.#panels.shown('millwright-plant', 'Heartbeat, last seen')
        return latencySeconds > 0 && latencySeconds < 30 && ageSeconds < heartbeatAgeSecondsMax
      },
    )
    this.#proof.say(`the slowest of a hundred heartbeats took at most ${latencySeconds.toFixed(1)} s`)
  }

  /** That an alert of the shipped rules fires now. */
  async fires(claim: string, alert: string): Promise<void> {
    await moved(this.#proof, claim, async () => await this.#isFiring(alert))
  }

  /** Every query that is for a plant on a cluster gives numbers, over all that the proof did. @param url Of a gateway. */
  async everyPanelGivesData(url: string): Promise<void> {
    const onlyEmbedded = await metricsOfOneMachine(url)
    const isLeftOut = (promql: string): boolean => {
      const names = [...promql.matchAll(/\b(?:millwright|flink|node)_\w+/g)].map(([name]) => name)
      return names.length > 0 && names.every((name) => onlyEmbedded.some((other) => name.startsWith(other)))
    }
    let missing: string[] = []
    await moved(this.#proof, 'each query of the dashboards that is for a cluster, too, gives numbers', async () => {
      // What is refused has panels of its own.
      await fetch(`${url}/api/readings`, {
        method: 'POST',
        body: '{"deviceId":',
        headers: { 'content-type': 'application/x-ndjson' },
      })
      await fetch(`${url}/api/cases/nothing%400`)
      await this.#send(url)
      await this.#panels.run()
      missing = this.#panels.withoutData(isLeftOut)
      return missing.length === 0
    })
    const left = this.#panels.withoutData()
    this.#proof.say(
      missing.length > 0
        ? `without numbers: ${missing.join('; ')}`
        : `${this.#panels.count - left.length} of ${this.#panels.count}; the others are of the engine on one machine: ${left.join('; ')}`,
    )
  }

  /** Both task managers are killed: what the panels and rules say of it, and that it passes when they are back. */
  async outage(url: string): Promise<void> {
    const lag = (): Promise<number> => this.#panels.shown('millwright-cluster', 'Lag')
    const lagOf = (partition: string): Promise<number> =>
      this.#panels.shown('millwright-cluster', 'Lag', 1, { topic: 'sensor-data', partition })
    const before = await lag()
    for (const role of taskManagers) await this.#cluster.kill(role)
    await moved(
      this.#proof,
      `task managers killed: the lag of each partition grows (from ${before} in all)`,
      async () => {
        await this.#send(url)
        // The last one gets no machine, and an empty record a second.
        return (await lagOf('0')) > lagMax && (await lagOf('1')) > lagMax && (await lagOf('2')) > 5
      },
    )
    const alerts = ['KafkaLagGrows', 'FlinkJobDown', 'HeartbeatAbsent']
    for (const alert of alerts)
      await moved(this.#proof, `${alert} is pending, then fires`, async () => {
        await this.#send(url)
        const pending = await this.#prometheus.query(
          `max_over_time(ALERTS{alertname="${alert}",alertstate="pending"}[10m:1s])`,
        )
        return pending.length > 0 && (await this.#isFiring(alert))
      })
    const most = await lag()
    await this.#cluster.start(...taskManagers)
    await moved(this.#proof, `task managers are back: the lag falls from ${most}`, async () => (await lag()) < most / 4)
    await moved(this.#proof, `and ${alerts.join(', ')} are over`, async () => {
      const firing = await Promise.all(alerts.map((alert) => this.#isFiring(alert)))
      return !firing.includes(true)
    })
  }

  /** That the job is no further behind the clock than it should be, and that this is no alert. */
  async keepsUp(): Promise<void> {
    let behindSeconds = 0
    await moved(this.#proof, 'the job keeps up with the clock while a gateway runs', async () => {
      behindSeconds = await this.#behindSeconds()
      return behindSeconds > 0 && behindSeconds < behindSecondsMax && !(await this.#isFiring('FlinkJobBehind'))
    })
    this.#proof.say(`the slowest subtask is ${behindSeconds.toFixed(1)} s behind the clock`)
  }

  /** That time is seen to stand where nobody writes: the last gateway was stopped. */
  async fallsBehind(): Promise<void> {
    await moved(
      this.#proof,
      'no gateway writes any more: the job is seen to fall behind the clock, and FlinkJobBehind fires',
      async () => (await this.#behindSeconds()) > behindSecondsMax && (await this.#isFiring('FlinkJobBehind')),
    )
  }

  #behindSeconds(): Promise<number> {
    return this.#panels.shown('millwright-cluster', 'Behind the clock')
  }

  async stop(): Promise<void> {
    await this.#prometheus.stop()
  }

  async #isFiring(alert: string): Promise<boolean> {
    return (await this.#prometheus.query(`ALERTS{alertname="${alert}",alertstate="firing"}`)).length > 0
  }

  /** A minute of all machines. */
  async #send(url: string): Promise<void> {
    const body = readings(this.#minute, this.#minute + 1).join('\n')
    const headers = { 'content-type': 'application/x-ndjson' }
    const { status } = await fetch(`${url}/api/readings`, { method: 'POST', headers, body })
    if (status === 202) this.#minute += 1
    await pause(200)
  }
}

/** Names on docs/guide/metrics.md that the engine on one machine has and a gateway on Kafka does not. */
async function metricsOfOneMachine(url: string): Promise<string[]> {
  const page = readFileSync(join(root, 'docs/guide/metrics.md'), 'utf8')
  const section = page.slice(page.indexOf('\n## Engine\n'), page.indexOf('\n## Heartbeat\n'))
  const ofGateway = await metricsAt(url)
  return [...section.matchAll(/^\| `(millwright_\w+)`/gm)]
    .map(([, name]) => name as string)
    .filter((name) => !ofGateway.some((line) => line.startsWith(name)))
}

function forTheProof(text: string): string {
  return shortened(text, forSeconds)
    .replace('> 100000 and deriv', `> ${lagMax} and deriv`)
    .replace('{job_name!~".+[.].+"} > 300', `{job_name!~".+[.].+"} > ${behindSecondsMax}`)
    .replace('> clamp_min(12 * millwright_heartbeat_interval_seconds, 60)', `> ${heartbeatAgeSecondsMax}`)
}
