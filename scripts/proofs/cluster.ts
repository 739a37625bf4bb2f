/**
 * Proof: the development cluster comes up from nothing, comes back from `kill -9` of each kind of its processes under load
 * without a record lost or doubled, and leaves nothing behind. What its clients (Flink's REST, Kafka's topics) say is held
 * against that.
 *
 *   node scripts/proofs/cluster.ts [--keep 1]
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  clusterMissing,
  clusterStatus,
  DevelopmentCluster,
  defaultCacheFolder,
  type ProcessRole,
  streamProgress,
} from '../../packages/cluster/src/development/index.ts'
import { takeDown } from '../../packages/cluster/src/development/take-down.ts'
import { FlinkRefusedError, KafkaAdministration, topicDefinitions } from '../../packages/cluster/src/index.ts'
import { compileJob } from './support/cluster-job.ts'
import { readTopic, sendForever } from './support/cluster-records.ts'
import { eventually, NotPossibleHere, numberArgument, type Proof, pause, prove } from './support/proof.ts'

const name = 'proof'
const prefix = 'proof.'
const input = `${prefix}sensor-data`
const output = `${prefix}alert-signals`
const keyCount = 40
/** A session of ZooKeeper, the election after it, and the job's restart, on two busy cores. */
const recoverySecondsMax = 120

await prove('cluster', 2700, async (proof) => {
  const missing = clusterMissing()
  if (missing !== null) throw new NotPossibleHere(missing)
  const progress = streamProgress()
  await takeDown({ cacheFolder: defaultCacheFolder(), name, progress, keepData: false })

  const startMs = performance.now()
  const cluster = await DevelopmentCluster.open({ name, progress })
  proof.say(`up in ${seconds(startMs)}`)
  await proveIdempotence(proof, cluster)
  await proveTopics(proof, cluster)
  await proveRecovery(proof, cluster)

  if (numberArgument('keep', 0) === 1) return
  await cluster.down()
  const pids = [...allRoles(cluster)].map((role) => cluster.pid(role)).filter((pid) => pid !== null)
  proof.check(pids.length === 0 && !existsSync(cluster.folder.root), 'down leaves no process and no file')
})

async function proveIdempotence(proof: Proof, cluster: DevelopmentCluster): Promise<void> {
  const before = allRoles(cluster).map((role) => cluster.pid(role))
  const again = await DevelopmentCluster.open({ name })
  const after = allRoles(again).map((role) => again.pid(role))
  proof.check(JSON.stringify(before) === JSON.stringify(after), 'a second up leaves all seven processes alone')
  const status = await clusterStatus(defaultCacheFolder(), name)
  const megabytes = status?.processes.map(
    ({ role, residentBytes }) => `${role} ${Math.round((residentBytes ?? 0) / 1e6)}`,
  )
  proof.say(`memory, MB: ${megabytes?.join(', ')}`)
  proof.check(
    status !== null &&
      'brokers' in status.kafka &&
      status.kafka.brokers.length === 3 &&
      status.kafka.voters.length === 3,
    'status says that Kafka has three brokers and three voters',
  )
  proof.check(status !== null && 'slotCount' in status.flink && status.flink.slotCount === 6, 'and Flink six slots')
  for (const role of ['job-manager', 'task-manager-1', 'task-manager-2'] as const) {
    const text = await (await fetch(cluster.metricsUrl(role))).text()
    proof.check(/^flink_\w+/m.test(text), `${role} gives metrics to Prometheus on the loopback address`)
  }
}

async function proveTopics(proof: Proof, cluster: DevelopmentCluster): Promise<void> {
  const administration = new KafkaAdministration(cluster.kafka)
  const definitions = topicDefinitions({ prefix })
  const first = await administration.ensureTopics(definitions)
  const second = await administration.ensureTopics(definitions)
  const other = await administration.ensureTopics(topicDefinitions({ prefix, partitionCount: 4, minInSyncReplicas: 2 }))
  await administration.close()
  proof.check(
    first.created.length === definitions.length && first.differences.length === 0,
    'topics are made as defined',
  )
  proof.check(second.created.length === 0 && second.differences.length === 0, 'and not a second time')
  // Seven have four partitions then (not model-updates), all eight another setting.
  proof.check(other.created.length === 0 && other.differences.length === 7 + 8, 'what differs is told and left')
}

async function proveRecovery(proof: Proof, cluster: DevelopmentCluster): Promise<void> {
  const flink = cluster.openFlink()
  const jar = await compileJob(join(import.meta.dirname, 'cluster', 'CountJob.java'), 'CountJob', proof.folder)
  const jarId = await flink.uploadJar(jar)
  const args = [cluster.bootstrapServers.join(','), input, output]
  const refused = await flink.runJar(jarId, { args: [] }).catch((error: unknown) => error)
  proof.check(
    refused instanceof FlinkRefusedError && refused.message.includes('Index 0 out of bounds'),
    `a job whose main throws is told by its root cause: ${(refused as Error).message}`,
  )
  const configuration = { 'execution.checkpointing.interval': '2 s' }
  let jobId = await flink.runJar(jarId, { args, parallelism: 3, configuration })
  const load = sendForever(cluster.kafka, input, keyCount, { size: 40, pauseMs: 20 })
  const checkpointAfter = async (count: number): Promise<number> =>
    eventually(`checkpoint ${count + 1}`, recoverySecondsMax, async () => {
      // No leader answers for a moment after the JobManager was killed.
      const now = await flink.checkpoints(jobId).catch(() => null)
      return now !== null && now.completedCount > count ? now.completedCount : null
    })
  await checkpointAfter(0)

  for (const role of ['task-manager-2', 'broker-2', 'job-manager', 'task-manager-1', 'broker-1'] as const) {
    const killedMs = performance.now()
    proof.check(await cluster.kill(role), `${role} was killed`)
    await pause(500)
    await cluster.start(role)
    await cluster.ready()
    const readyIn = seconds(killedMs)
    // A JobManager that came back counts its checkpoints from 0.
    const counted = (await flink.checkpoints(jobId).catch(() => null))?.completedCount ?? 0
    await checkpointAfter(counted)
    proof.say(`${role}: complete again after ${readyIn}, next checkpoint after ${seconds(killedMs)}`)
  }
  const causes = (await flink.exceptions(jobId)).map(({ cause }) => cause)
  proof.check(causes.length > 0, `Flink tells why the job restarted: ${causes[0]}`)

  const vertex = (await flink.job(jobId)).vertices.at(-1)
  const savepoint = await flink.stopWithSavepoint(jobId)
  proof.check(existsSync(new URL(savepoint)), 'stopped with a savepoint')
  jobId = await flink.runJar(jarId, { args, parallelism: 2, configuration, savepointPath: savepoint })
  await checkpointAfter(0)
  const restored = (await flink.checkpoints(jobId)).latestRestored
  proof.check(restored !== null && vertex !== undefined, 'and restored from it at another parallelism')
  // Flink collects its metrics from the task managers every ten seconds.
  const counted = await eventually('metrics', 60, async () => {
    const metrics = await flink.aggregatedMetrics(jobId, vertex?.id ?? '', ['numRecordsIn'])
    const sum = metrics['numRecordsIn']?.sum ?? 0
    return sum > 0 ? sum : null
  })
  proof.check(counted > 0, `aggregated metrics count ${counted} records`)

  const { sent, failed } = await load.stop()
  const read = { quietMs: 4_000, secondsMax: 120 }
  const inputs = await readTopic(cluster.kafka, input, { ...read, committedOnly: true, enough: sent })
  const outputs = await readTopic(cluster.kafka, output, { ...read, committedOnly: true, enough: inputs.length })
  const uncommitted = await readTopic(cluster.kafka, output, { ...read, committedOnly: false, enough: inputs.length })
  proof.say(
    `${sent} sent, ${failed} in doubt, ${inputs.length} in the topic, ${outputs.length} out, ${uncommitted.length - outputs.length} in aborted transactions`,
  )
  proof.check(inputs.length >= sent, 'every acknowledged record is in the topic')
  proof.check(JSON.stringify(numbered(inputs)) === JSON.stringify(outputs.sort()), 'each record came out exactly once')
  await flink.cancel(jobId)
  await eventually('the job ends', 60, async () => ((await flink.job(jobId)).state === 'CANCELED' ? true : null))
  await flink.close()
}

/** What the job should have made of its input, sorted. */
function numbered(keys: readonly string[]): string[] {
  const counts = new Map<string, number>()
  return keys
    .map((key) => {
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      return `${key} ${count}`
    })
    .sort()
}

function allRoles(cluster: DevelopmentCluster): ProcessRole[] {
  return [
    ...(cluster.settings.highAvailability ? (['zookeeper'] as const) : []),
    ...(['broker-1', 'broker-2', 'broker-3', 'job-manager', 'task-manager-1', 'task-manager-2'] as const),
  ]
}

function seconds(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`
}
