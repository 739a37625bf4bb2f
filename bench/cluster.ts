/**
 * `npm run bench:cluster`: our job on Flink beside the reference job in Java, in one run on the same topic, in turn.
 *
 *     node bench/cluster.ts [--lines N] [--devices N] [--rounds N] [--backends hashmap,rocksdb] [--only ours] [--merged] [--keep] [--json FILE]
 *
 * `--lines`: of the peers' input, 1,000 devices; 0 leaves it out. `--devices`: of a second input, in which no device comes again before
 * all others have; 0 leaves it out. `--merged` also runs ours with its inputs put into one order, as plans have it that look at device
 * events. `--keep` leaves the cluster and its topics for the next run, which then fills none.
 *
 * Needs the development cluster's tools (docs/guide/cluster.md), and the peers and the reference job beside the repository.
 * bench/README.md says what each figure means.
 */
import { appendFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { FlinkClient } from '@millwright/cluster'
import { DevelopmentCluster, streamProgress } from '../packages/cluster/src/development/index.ts'
import { topicDefinitions } from '../packages/cluster/src/kafka/topic-definitions.ts'
import { type JobCost, runJob } from './cluster-job.ts'
import { endOf, fillTopic, linesOfFile, linesWithoutLocality, publishModel, windowsFrom } from './cluster-topics.ts'
import { buildHost, bundleInto } from './host-build.ts'
import { benchScratch, machineText } from './machine.ts'
import { peersInput } from './peers.ts'
import { preparedProject } from './prepared-plant.ts'
import { assertSame, buildReference, referenceArguments, referenceOut } from './reference-job.ts'
import { atLeast, markdownOf, median, type Report, spread } from './report.ts'

const parallelism = 3
/** Ten minutes of event time: one window closes as the second half begins, the other when the input ends. */
const fleetRounds = 60
const fleetStepMs = 10_000

const referenceName = 'reference, Java'
const mergedName = 'ours, inputs merged'

const guestMetrics = [
  'bundles',
  'prepare_nanos',
  'process_nanos',
  'records_in',
  'states_read',
  'states_written',
] as const

interface Input {
  readonly name: string
  readonly readingCount: number
  /** Wanted of each state backend: times the reference job's readings per CPU second. */
  readonly wanted: Readonly<Record<string, number>>
  fill(cluster: DevelopmentCluster): Promise<number>
}

const { values } = parseArgs({
  options: {
    lines: { type: 'string', default: '5000000' },
    devices: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '2' },
    backends: { type: 'string', default: 'hashmap,rocksdb' },
    only: { type: 'string' },
    merged: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
})
const say = (text: string): boolean => process.stderr.write(`${text}\n`)

await main()

async function main(): Promise<void> {
  const roundCount = Number(values.rounds)
  const referenceJar = values.only === 'ours' ? null : await buildReference()
  const { jar: hostJar } = await buildHost()
  const cluster = await DevelopmentCluster.open({
    name: 'bench',
    switches: { highAvailability: false },
    progress: streamProgress(),
  })
  const flink = cluster.openFlink()
  try {
    const ours = await flink.uploadJar(hostJar)
    const jobs: Job[] = [
      { name: 'ours', jarId: ours, guest: await bundleInto(join(benchScratch, 'cluster-guest')) },
      ...(values.merged
        ? [{ name: mergedName, jarId: ours, guest: await bundleInto(join(benchScratch, 'cluster-guest-merged'), true) }]
        : []),
      ...(referenceJar === null
        ? []
        : [{ name: referenceName, jarId: await flink.uploadJar(referenceJar), guest: null }]),
    ]
    for (const input of inputs()) {
      await prepareTopics(cluster, input)
      for (const backend of values.backends.split(',')) {
        const report = await compare(cluster, flink, { input, backend, roundCount, jobs })
        process.stdout.write(`${markdownOf(report)}\n\n`)
        if (values.json !== undefined)
          for (const figure of report.figures) appendFileSync(values.json, `${JSON.stringify(figure)}\n`)
      }
    }
  } finally {
    await flink.close()
    if (!values.keep) await cluster.down()
  }
}

function inputs(): Input[] {
  const lineCount = Number(values.lines)
  const deviceCount = Number(values.devices)
  return [
    {
      name: `${lineCount} readings of 1,000 devices`,
      readingCount: lineCount,
      wanted: { hashmap: 1.7, rocksdb: 4 },
      fill: (cluster: DevelopmentCluster) =>
        fillTopic(cluster.kafka, 'sensor-data', linesOfFile(peersInput(lineCount))),
    },
    {
      name: `${deviceCount * fleetRounds} readings of ${deviceCount} devices in turn`,
      readingCount: deviceCount * fleetRounds,
      wanted: { rocksdb: 3 },
      fill: (cluster: DevelopmentCluster) =>
        fillTopic(
          cluster.kafka,
          'sensor-data',
          linesWithoutLocality({ deviceCount, rounds: fleetRounds, stepMs: fleetStepMs }),
        ),
    },
  ].filter(({ readingCount }) => readingCount > 0)
}

/** Makes the topics anew and fills them; does neither where they hold just this many readings. */
async function prepareTopics(cluster: DevelopmentCluster, input: Input): Promise<void> {
  const definitions = topicDefinitions()
  const [alerts] = definitions.filter(({ name }) => name === 'alert-signals')
  if (alerts === undefined) throw new Error('a plant has a topic of alerts')
  const all = [...definitions, { ...alerts, name: referenceOut }]
  const names = all.map(({ name }) => name)
  const kafka = cluster.openKafka()
  try {
    await kafka.ensureTopics(all)
    const held = (await endOf(cluster.kafka, 'sensor-data')).reduce((sum, end) => sum + end, 0)
    if (held === input.readingCount) return
    say(`Filling the topic with ${input.name}`)
    await kafka.removeTopics(names)
    // A topic that was removed is there for a while.
    while ((await kafka.ensureTopics(all)).created.length < names.length) {
      await kafka.removeTopics(names)
      await delay(500)
    }
  } finally {
    await kafka.close()
  }
  const path = join(await preparedProject(), 'model.mwmodel')
  await publishModel(cluster.kafka, { name: 'reference', version: 'bench', path })
  const count = await input.fill(cluster)
  if (count !== input.readingCount) throw new Error(`the input has ${count} lines, not ${input.readingCount}`)
}

interface Job {
  readonly name: string
  readonly jarId: string
  /** Folder of its script and description; `null`: the reference job, which has none. */
  readonly guest: string | null
}

interface Comparison {
  readonly input: Input
  readonly backend: string
  readonly roundCount: number
  /** Ours first. */
  readonly jobs: readonly Job[]
}

/** All jobs in turn: one round to warm up, and those that count. */
async function compare(cluster: DevelopmentCluster, flink: FlinkClient, it: Comparison): Promise<Report> {
  const { input, backend, roundCount, jobs } = it
  const configuration = { 'state.backend.type': backend }
  const costs = new Map<string, JobCost[]>(jobs.map(({ name }) => [name, []]))
  const loads: number[] = []
  let windowCount = 0
  for (let round = 0; round <= roundCount; round++) {
    const found: Map<string, number>[] = []
    for (const { name, jarId, guest } of jobs) {
      const out = guest === null ? referenceOut : 'alert-signals'
      const from = await endOf(cluster.kafka, out)
      const bootstrap = cluster.bootstrapServers.join(',')
      const args =
        guest === null ? referenceArguments(bootstrap) : ['--kafka', bootstrap, '--guest', guest, '--until', 'latest']
      const watch =
        guest === null
          ? null
          : { vertex: 'guest', metrics: guestMetrics.map((metric) => `guest.guest_${metric}_total`) }
      const cost = await runJob(cluster, flink, jarId, { args, parallelism, configuration }, input.readingCount, watch)
      loads.push(loadavg()[0] ?? 0)
      const whole = (cost.cpuSeconds / input.readingCount) * 1e6
      say(
        `${name}, ${backend}, round ${round}: ${whole.toFixed(2)} CPU s a million, ${warmOf(cost).toFixed(2)} when warm ` +
          `(${(100 * cost.warmCompilerShare).toFixed(0)} % compilers), ${cost.wallSeconds.toFixed(0)} s`,
      )
      found.push(await windowsFrom(cluster.kafka, out, from))
      if (round > 0) costs.get(name)?.push(cost)
    }
    windowCount = found[0]?.size ?? 0
    for (const windows of found) assertSame([found[0] as Map<string, number>, windows])
  }
  return report({ ...it, costs, windowCount, loads })
}

/** Processor seconds a million readings in the second half of the input. */
function warmOf(cost: JobCost): number {
  return cost.warmSecondsPerRecord * 1e6
}

function report(
  it: Comparison & {
    readonly costs: ReadonlyMap<string, readonly JobCost[]>
    readonly windowCount: number
    readonly loads: readonly number[]
  },
): Report {
  const { input, backend, costs } = it
  const ours = costs.get('ours') ?? []
  const reference = costs.get(referenceName) ?? []
  const wholeOf = (cost: JobCost): number => (cost.cpuSeconds / input.readingCount) * 1e6
  const row = ([name, costs]: readonly [string, readonly JobCost[]]): string[] => {
    const checkpoints = costs.flatMap((cost) => cost.checkpoints)
    const largest = Math.max(0, ...checkpoints.map(({ stateBytes }) => stateBytes))
    const durations = checkpoints.map(({ durationMs }) => durationMs)
    return [
      name,
      median(costs.map(warmOf)).toFixed(2),
      spread(costs.map(warmOf)),
      `${(100 * median(costs.map((cost) => cost.warmCompilerShare))).toFixed(0)} %`,
      median(costs.map(wholeOf)).toFixed(2),
      Math.round(median(costs.map(({ wallSeconds }) => input.readingCount / wallSeconds))).toLocaleString('en'),
      `${(largest / 1e6).toFixed(1)} MB`,
      `${median(durations).toFixed(0)} / ${Math.max(...durations).toFixed(0)} ms`,
    ]
  }
  const ratioOf = (cost: (run: JobCost) => number): number => median(reference.map(cost)) / median(ours.map(cost))
  const ratio = ratioOf(warmOf)
  const wanted = input.wanted[backend]
  const loads = [...it.loads].sort((a, b) => a - b)
  return {
    title: `${input.name}, ${backend} state`,
    header: [
      'job',
      'task managers’ CPU s a million readings, warm',
      'rounds',
      'of which compilers',
      'with the start of the job',
      'readings/s',
      'largest checkpoint',
      'checkpoint p50 / max',
    ],
    rows: [...costs].map(row),
    goals:
      wanted === undefined || reference.length === 0
        ? []
        : [atLeast('the reference job’s readings per CPU second', ratio, wanted)],
    notes: [
      ...(reference.length === 0 ? [] : [`With the start of the job: ${ratioOf(wholeOf).toFixed(2)}×.`]),
      `${it.windowCount} windows each round${reference.length === 0 ? '' : ', equal'}, in ${it.roundCount} rounds after one to warm up; ` +
        `load ${loads[0]?.toFixed(1)} to ${loads.at(-1)?.toFixed(1)}, ${machineText()}.`,
      bundleNote(ours.at(-1)?.metrics ?? {}),
    ],
    figures: [
      { name: `cluster ${backend} ${input.name} CPU s a million, warm`, value: median(ours.map(warmOf)), unit: 's' },
      { name: `cluster ${backend} ${input.name} ratio, warm`, value: ratio, unit: '×' },
    ],
  }
}

/** What one bundle cost, by the host's own counters. */
function bundleNote(metrics: Readonly<Record<string, number>>): string {
  const of = (name: (typeof guestMetrics)[number]): number => metrics[`guest.guest_${name}_total`] ?? 0
  const bundles = of('bundles')
  if (bundles === 0) return 'No metrics of bundles were seen.'
  const each = (nanos: number): string => (nanos / bundles / 1e6).toFixed(2)
  return (
    `A bundle: ${(of('records_in') / bundles).toFixed(0)} records, ${each(of('prepare_nanos'))} ms in prepare, ` +
    `${each(of('process_nanos'))} ms in process, ${(of('states_read') / bundles).toFixed(1)} states read and ` +
    `${(of('states_written') / bundles).toFixed(1)} written; elapsed time, as the last metrics said.`
  )
}
