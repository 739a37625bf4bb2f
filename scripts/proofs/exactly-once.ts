/**
 * Proof: each device's records come out of the cluster once, whatever is killed and whenever. Task managers, JobManagers, brokers and all of
 * them in turn are killed (`kill -9`) while a fleet sends, also between a window's firing and the checkpoint that makes its record
 * valid. Windows look at device events, so readings and events are merged by append time, and before each strike another model is published that says
 * the opposite. What readers of committed records get is held against the operator itself over the input as it stands in Kafka, device by
 * device, byte for byte; and nobody waits behind a dead transaction longer than is stated.
 *
 *   node scripts/proofs/exactly-once.ts [--hits 20] [--seed 1] [--name NAME] [--phase NAME] [--keep 1]
 *
 * `--hits` is of each phase; a phase that does not get so many in three times as many strikes fails.
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadProject } from '../../packages/cli/src/project/load-project.ts'
import {
  clusterMissing,
  DevelopmentCluster,
  defaultCacheFolder,
  silentProgress,
} from '../../packages/cluster/src/development/index.ts'
import { takeDown } from '../../packages/cluster/src/development/take-down.ts'
import { outputTopics } from '../../packages/core/src/index.ts'
import { BlockedReaders } from './exactly-once/blocked-readers.ts'
import { collect, countOf, differenceOf, expectedOutputs, type Outputs } from './exactly-once/expected-outputs.ts'
import { Fleet, fleetPackage, silentAfterMs, writeFleetProject } from './exactly-once/fleet.ts'
import { activationsOf } from './exactly-once/found-activation.ts'
import { type FoundInput, inputOf } from './exactly-once/found-input.ts'
import { JobWatch } from './exactly-once/job-watch.ts'
import { KafkaProbe, type OpenRecord } from './exactly-once/kafka-probe.ts'
import { readOutputs, textOfOutput } from './exactly-once/output-lines.ts'
import { type Phase, phases, type Target } from './exactly-once/phases.ts'
import { did, told } from './support/commands.ts'
import {
  eventually,
  NotPossibleHere,
  numberArgument,
  type Proof,
  pause,
  prove,
  seededChance,
  textArgument,
} from './support/proof.ts'

const hitsWanted = numberArgument('hits', 20)
const seed = numberArgument('seed', 1)
const name = textArgument('name', 'proof-exactly-once')
const onlyPhase = textArgument('phase', '')
/** After a long phase what came out is looked at before the next begins: what is wrong then is that phase's. */
const checkEach = hitsWanted >= 10
const root = join(import.meta.dirname, '../..')

const checkpointIntervalMs = 2000
/** A session of ZooKeeper, JVMs that start, and the job's restart, on two cores that are busy with all of it. */
const recoverySecondsMax = 240
/** After this Kafka itself ends a transaction. It looks for such every two seconds here, and the end takes a moment. */
const transactionSeconds = 300
const abandonedSeconds = 20
/** Kills of all of Flink; nothing is open in the moment after a commit, until the next windows fire. */
const abandonedAttemptsMax = 5
const endSecondsMax = 10

/** So that a hundred kills do not take an afternoon: what is dead is missed sooner, and tried again sooner. */
const impatience = {
  'execution.checkpointing.interval': `${checkpointIntervalMs} ms`,
  'execution.checkpointing.tolerable-failed-checkpoints': '1000',
  'heartbeat.interval': '1 s',
  'heartbeat.timeout': '10 s',
  'restart-strategy.type': 'fixed-delay',
  'restart-strategy.fixed-delay.attempts': '1000000',
  'restart-strategy.fixed-delay.delay': '200 ms',
  'high-availability.zookeeper.client.session-timeout': '4 s',
  'cluster.registration.error-delay': '500 ms',
  'cluster.registration.refused-registration-delay': '1 s',
  // These JVMs live for a minute: what the second compiler takes it never gives back.
  'env.java.opts.all': '-XX:TieredStopAtLevel=1',
}

interface PhaseResult {
  readonly name: string
  readonly hits: number
  readonly strikes: number
  readonly recoveriesMs: readonly number[]
  readonly longestBlockMs: number
}

await prove('exactly-once', 1200 + hitsWanted * phases.length * 150, async (proof) => {
  const missing = clusterMissing()
  if (missing !== null) throw new NotPossibleHere(missing)
  await takeDown({ cacheFolder: defaultCacheFolder(), name, progress: silentProgress, keepData: false })
  if (numberArgument('keep', 0) === 0)
    proof.onEnd(() => void spawnSync(process.execPath, [join(root, 'scripts/cluster.ts'), 'down', '--name', name]))
  const cluster = await DevelopmentCluster.open({ name, switches: { flink: impatience } })
  const kafka = ['--kafka', cluster.bootstrapServers.join(',')]
  const flink = ['--flink', cluster.flinkUrl]
  const project = writeFleetProject(join(proof.folder, 'project'))
  const { plan } = await loadProject(project)
  const { jobId } = await told(
    'deploy',
    project,
    ...flink,
    ...kafka,
    '--transaction-timeout',
    String(transactionSeconds),
  )
  let version = 0
  const publishNext = async (): Promise<void> => {
    version += 1
    const model = join(proof.folder, `press-${version}.mwmodel`)
    writeFileSync(model, fleetPackage(version))
    await did('models', 'publish', project, model, ...kafka)
  }
  await publishNext()

  const probe = new KafkaProbe(cluster.kafka, outputTopics)
  const job = new JobWatch(cluster, jobId)
  const blocked = new BlockedReaders(probe, outputTopics, plan.partitionCount)
  const chance = seededChance(seed)
  const target: Target = {
    ...{ cluster, job, probe, outputs: outputTopics, partitionCount: plan.partitionCount },
    ...{ checkpointIntervalMs, chance },
  }
  const results: PhaseResult[] = []
  const chosen = phases.filter((each) => onlyPhase === '' || each.name === onlyPhase)
  for (const [index, batch] of (checkEach ? chosen.map((phase) => [phase]) : [chosen]).entries()) {
    const fleet = await Fleet.start(cluster.kafka, seededChance(seed + 1 + index))
    await job.checkpointBegunAfter(Date.now(), recoverySecondsMax)
    for (const phase of batch) results.push(await proveHits(proof, phase, target, { blocked, publishNext }))
    await fleet.stopReadings()
    proof.say(`${fleet.acknowledged} lines acknowledged, ${fleet.inDoubt} in doubt`)
    // Until every device has fallen silent, and time has come past it on every partition.
    await pause(silentAfterMs + 3000)
    await fleet.stop()
    await proveOutputs(proof, target, async (input) =>
      expectedOutputs(plan, await activationsOf(probe), (of) => fleetPackage(Number(of)), input),
    )
  }
  await blocked.stop()
  sayTable(proof, results)
  const longestMs = Math.max(...results.map(({ longestBlockMs }) => longestBlockMs))
  proof.check(
    blocked.looks > 0 && longestMs > 0 && longestMs <= (transactionSeconds + endSecondsMax) * 1000,
    `readers of committed records waited ${seconds(longestMs)} at most; ${transactionSeconds} s are the time of the job's transactions (${blocked.looks} looks)`,
  )
  const again = await told('deploy', project, ...flink, ...kafka, '--transaction-timeout', String(abandonedSeconds))
  const abandoned = new JobWatch(cluster, again.jobId)
  await proveAbandoned(proof, { ...target, job: abandoned })
  await abandoned.close()
  await job.close()
  await probe.close()
})

/** Strikes until a phase has its hits, each time at a cluster that is whole again and to which the next model comes. */
async function proveHits(
  proof: Proof,
  phase: Phase,
  target: Target,
  { blocked, publishNext }: { readonly blocked: BlockedReaders; readonly publishNext: () => Promise<void> },
): Promise<PhaseResult> {
  const { cluster, job, probe, outputs } = target
  const recoveriesMs: number[] = []
  let [hits, strikes] = [0, 0]
  blocked.takeLongestMs()
  for (; hits < hitsWanted && strikes < 3 * hitsWanted; strikes++) {
    await cluster.ready()
    await probe.allInSync(['sensor-data', 'device-events', 'model-updates', ...outputs], recoverySecondsMax)
    // In force a second later: the strike falls before, at, or after that.
    await publishNext()
    const strike = await phase.strike(target)
    await cluster.start(...strike.killed)
    await job.checkpointBegunAfter(strike.atMs, 2 * recoverySecondsMax)
    const recoveryMs = Date.now() - strike.atMs
    recoveriesMs.push(recoveryMs)
    const hit = await strike.hit()
    if (hit) hits += 1
    proof.say(
      `${phase.name} ${hits}/${hitsWanted}: ${strike.killed.join(', ')} killed, whole after ${seconds(recoveryMs)}${hit ? '' : ', NO HIT'} ${strike.note}`,
    )
  }
  proof.check(hits >= hitsWanted, `${phase.name}: ${hits} hits of ${hitsWanted} wanted, in ${strikes} strikes`)
  return { name: phase.name, hits, strikes, recoveriesMs, longestBlockMs: blocked.takeLongestMs() }
}

/** Holds what came out against what the operator gives, and what was taken back against what came out. */
async function proveOutputs(
  proof: Proof,
  { job, probe, partitionCount }: Target,
  expect: (input: FoundInput) => Promise<Outputs>,
): Promise<void> {
  const committed = (topic: string, partition: number) => probe.committed(topic, partition)
  const input = await inputOf(probe, partitionCount)
  const wanted = await expect(input)
  const wantedCount = outputTopics.reduce((sum, topic) => sum + countOf(topic, wanted), 0)
  proof.say(`${input.recordCount} records of input, ${wantedCount} of output wanted`)
  // Two more checkpoints than it takes, for what would come too much.
  await eventually('the input is used up', recoverySecondsMax, async () => {
    await job.checkpointBegunAfter(Date.now(), recoverySecondsMax)
    return (await readOutputs(committed, partitionCount)).length >= wantedCount ? true : null
  }).catch((error: Error) => proof.say(error.message))
  for (let i = 0; i < 2; i++) await job.checkpointBegunAfter(Date.now(), recoverySecondsMax)
  const found = await readOutputs(committed, partitionCount)
  const outputs = collect(found)
  for (const topic of outputTopics) {
    const difference = differenceOf(topic, wanted, outputs)
    proof.check(
      difference === null && countOf(topic, wanted) > 0,
      `${topic}: ${countOf(topic, outputs)} committed records, each device's equal to the operator's${difference === null ? '' : `\n  ${difference}`}`,
    )
  }
  const versions = new Set(linesOf('alert-signals', wanted).map((line) => JSON.parse(line).model?.version as string))
  const repaired = linesOf('device-features', wanted).filter((line) => JSON.parse(line).features.sinceRepair !== null)
  proof.check(
    versions.size > 1 && repaired.length > 0,
    `${versions.size} models scored windows, and ${repaired.length} of ${countOf('device-features', wanted)} knew a device event`,
  )
  const everything = await readOutputs((...place) => probe.uncommitted(...place), partitionCount)
  const places = new Set(found.map(({ place }) => place))
  const hidden = everything.filter(({ place }) => !places.has(place))
  const given = new Set(found.map(textOfOutput))
  const lost = hidden.map(textOfOutput).filter((text) => !given.has(text))
  proof.check(
    hidden.length > 0 && lost.length === 0,
    `readers of everything see ${hidden.length} records more, of transactions that were taken back; each was given again, the same${lost.length === 0 ? '' : `\n  but ${lost.length}, as ${lost[0]}`}`,
  )
  // What a sink without transactions would have given: so the comparison can tell.
  const doubled = collect(everything)
  const differing = outputTopics.filter((topic) => differenceOf(topic, wanted, doubled) !== null)
  proof.check(
    differing.length > 0,
    `the same comparison finds what they see wrong, on ${differing.length} of ${outputTopics.length} topics`,
  )
}

/** All of Flink dies and does not come back: Kafka itself takes back what was open, when the job's time for it is over. */
async function proveAbandoned(proof: Proof, target: Target): Promise<void> {
  const { cluster, probe, partitionCount, outputs } = target
  const fleet = await Fleet.start(cluster.kafka, seededChance(seed))
  const { open, killedMs } = await killedWithOpenRecord(target)
  await fleet.stop()
  await eventually('readers of committed records go on', 3 * (abandonedSeconds + endSecondsMax), async () => {
    for (const topic of outputs)
      for (let partition = 0; partition < partitionCount; partition++) {
        const { stable, end } = await probe.ends(topic, partition)
        if (stable < end) return null
      }
    return true
  })
  const waitedMs = performance.now() - killedMs
  const records = await probe.committed(open.topic, open.partition, open.offset)
  proof.check(
    waitedMs > 1000 && waitedMs <= (abandonedSeconds + endSecondsMax) * 1000,
    `behind a job that is gone for good they waited ${seconds(waitedMs)}; ${abandonedSeconds} s are the time of its transactions`,
  )
  proof.check(records[0]?.offset !== open.offset, 'and what it had open stays hidden')
}

/**
 * Kills all of Flink at once, at any moment at which a record is open. Looked at only when nobody is left who could commit it: a
 * record that was open before may have been committed at the last moment.
 */
async function killedWithOpenRecord(target: Target): Promise<{ readonly open: OpenRecord; readonly killedMs: number }> {
  const { cluster, job, probe, partitionCount, outputs, chance } = target
  const roles = ['task-manager-1', 'task-manager-2', 'job-manager'] as const
  const anyOpen = async (): Promise<OpenRecord | null> => {
    for (const topic of outputs) {
      const open = await probe.openRecord(topic, partitionCount, chance).catch(() => null)
      if (open !== null) return open
    }
    return null
  }
  for (let attempt = 1; attempt <= abandonedAttemptsMax; attempt++) {
    await cluster.start(...roles)
    await job.checkpointBegunAfter(Date.now(), 2 * recoverySecondsMax)
    await pause(chance() * checkpointIntervalMs)
    await Promise.all(roles.map((role) => cluster.kill(role)))
    const killedMs = performance.now()
    const open = await eventually('a record that is not committed', abandonedSeconds / 4, anyOpen).catch(() => null)
    if (open !== null) return { open, killedMs }
  }
  throw new Error(`in ${abandonedAttemptsMax} kills of all of Flink no record was open`)
}

function linesOf(topic: 'alert-signals' | 'device-features', outputs: Outputs): string[] {
  return [...(outputs.get(topic)?.values() ?? [])].flat()
}

function sayTable(proof: Proof, results: readonly PhaseResult[]): void {
  const rows = [
    ['phase', 'hits', 'strikes', 'whole again: median', 'longest', 'readers waited at most'],
    ...results.map(({ name: phase, hits, strikes, recoveriesMs, longestBlockMs }) => {
      const sorted = recoveriesMs.toSorted((a, b) => a - b)
      const median = sorted[Math.floor(sorted.length / 2)] ?? 0
      return [phase, `${hits}`, `${strikes}`, seconds(median), seconds(sorted.at(-1) ?? 0), seconds(longestBlockMs)]
    }),
  ]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  for (const row of rows)
    proof.say(
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`
}
