/**
 * From the append of the reading that closes a window to its alert at a reader of committed records, on Flink and Kafka, exactly-once:
 * in an open loop at a low and at a high rate, at two checkpoint intervals.
 *
 *     node bench/cluster-latency.ts [--rates 1000,50000] [--seconds 60] [--checkpoints 1s,10s]
 *
 * A reading is due at its place in the schedule whatever became of those before, and latency counts from then. bench/README.md says
 * what each figure means.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { TopicReader } from '@millwright/gateways/kafka'
import { DevelopmentCluster, streamProgress } from '../packages/cluster/src/development/index.ts'
import { endOf } from './cluster-topics.ts'
import { machineText } from './machine.ts'
import { closingRound, windowsClosed } from './made-readings.ts'
import { percentile } from './measure.ts'
import { openLoopWriter } from './open-loop-writer.ts'
import { deployReference } from './reference-deployment.ts'
import { markdownOf, type Report } from './report.ts'

const deviceCount = 1000
/** Readings that are written together become due together. */
const intervalMs = 10
/** The job has compiled what it runs, and the first checkpoints are behind it. */
const warmUpSeconds = 30
/** Alerts that were still to come when the last reading was written get so long. */
const lastAlertsMs = 60_000

interface LatencyRun {
  readonly checkpointInterval: string
  readonly readingsPerSecond: number
  readonly latenciesMs: readonly number[]
  /** Windows that closed and whose alert never came. */
  readonly missing: number
  /** How late the writer itself was, p99. */
  readonly writerLateMs: number
}

const { values } = parseArgs({
  options: {
    rates: { type: 'string', default: '1000,50000' },
    seconds: { type: 'string', default: '60' },
    checkpoints: { type: 'string', default: '1s,10s' },
  },
})

const runs: LatencyRun[] = []
for (const checkpointInterval of values.checkpoints.split(','))
  for (const rate of values.rates.split(','))
    runs.push(await measure(checkpointInterval, Number(rate), Number(values.seconds)))
process.stdout.write(`${markdownOf(report(runs))}\n`)

async function measure(checkpointInterval: string, readingsPerSecond: number, seconds: number): Promise<LatencyRun> {
  const cluster = await DevelopmentCluster.open({
    name: 'bench-latency',
    progress: streamProgress(),
    switches: { highAvailability: false, flink: { 'execution.checkpointing.interval': checkpointInterval } },
  })
  try {
    const flink = cluster.openFlink()
    await deployReference(cluster, flink, async () => undefined)
    await flink.close()
    return { checkpointInterval, readingsPerSecond, ...(await openLoop(cluster, readingsPerSecond, seconds)) }
  } finally {
    await cluster.down()
  }
}

async function openLoop(
  cluster: DevelopmentCluster,
  readingsPerSecond: number,
  seconds: number,
): Promise<Pick<LatencyRun, 'latenciesMs' | 'missing' | 'writerLateMs'>> {
  const perInterval = Math.max(1, Math.round((readingsPerSecond * intervalMs) / 1000))
  const intervals = Math.ceil(((warmUpSeconds + seconds) * 1000) / intervalMs)
  const warmUpIntervals = (warmUpSeconds * 1000) / intervalMs
  // At a low rate a device sends so seldom that its clock must take longer steps, or no window would close.
  const stepMs = Math.max(1000, Math.round((30_000 * deviceCount) / readingsPerSecond))
  const rounds = Math.floor((intervals * perInterval) / deviceCount)
  const readingCount = rounds * deviceCount
  const writer = await openLoopWriter(cluster, { deviceCount, readingCount, perInterval, intervalMs, stepMs })
  // Until then those who read alerts have found where they begin.
  const beganMs = performance.now() + 3000
  const dueMs = (interval: number): number => beganMs + interval * intervalMs
  const latenciesMs: number[] = []
  const expected = windowsClosed(deviceCount, rounds, stepMs)
  let alerts = 0
  const following = new AbortController()
  const follows = (await endOf(cluster.kafka, 'alert-signals')).map((from, partition) =>
    followAlerts(cluster, partition, from, following.signal, (device, windowEnd) => {
      alerts += 1
      const reading = closingRound(device, deviceCount, windowEnd, stepMs) * deviceCount + device
      const interval = Math.floor(reading / perInterval)
      if (interval >= warmUpIntervals) latenciesMs.push(performance.now() - dueMs(interval))
    }),
  )
  let lateMs: number[] = []
  try {
    lateMs = await writer.write(performance.timeOrigin + beganMs)
    const untilMs = performance.now() + lastAlertsMs
    while (alerts < expected && performance.now() < untilMs) await wait(20)
  } finally {
    following.abort()
  }
  await Promise.all(follows)
  return { latenciesMs, missing: expected - alerts, writerLateMs: percentile(lateMs.slice(warmUpIntervals), 0.99) }
}

async function followAlerts(
  cluster: DevelopmentCluster,
  partition: number,
  from: number,
  signal: AbortSignal,
  onAlert: (device: number, windowEnd: number) => void,
): Promise<void> {
  const reader = await TopicReader.open(cluster.kafka, 'alert-signals')
  const decoder = new TextDecoder()
  try {
    for await (const { value } of reader.read({ partition, from, follow: true, signal })) {
      const json = decoder.decode(value)
      onAlert(Number(/"deviceId":"m-(\d+)"/.exec(json)?.[1]), Number(/"windowEnd":(\d+)/.exec(json)?.[1]))
    }
  } finally {
    await reader.close()
  }
}

function report(all: readonly LatencyRun[]): Report {
  return {
    title: `Latency on Flink, from the append of the reading that closes a window to its committed alert, ${values.seconds} s each`,
    header: [
      'checkpoints every',
      'readings/s',
      'alerts',
      'p50 ms',
      'p99 ms',
      'max ms',
      'alerts missing',
      'writer late p99 ms',
    ],
    rows: all.map(({ checkpointInterval, readingsPerSecond, latenciesMs, missing, writerLateMs }) => [
      checkpointInterval,
      readingsPerSecond.toLocaleString('en'),
      String(latenciesMs.length),
      ...[0.5, 0.99, 1].map((p) => percentile(latenciesMs, p).toFixed(0)),
      String(missing),
      writerLateMs.toFixed(1),
    ]),
    goals: [],
    notes: [
      `An alert is committed with the checkpoint after it. Brokers, Flink, writer and reader share ${machineText()}.`,
    ],
    figures: [],
  }
}
