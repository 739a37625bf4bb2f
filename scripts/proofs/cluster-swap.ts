/**
 * Proof: on a real Flink and a real Kafka models with opposite answers are published again and again while readings flow as fast as the
 * job takes them. No window is lost, doubled, or scored by another version than the logs say; the job does not restart; what is
 * hostile is refused and the model goes on, also over a killed task manager.
 *
 * What the logs say is found out twice: by the bytes of the topics and the rule of activation (`support/swap-audit.ts`), and by the
 * operator itself over the same records, byte for byte.
 *
 *   node scripts/proofs/cluster-swap.ts [--swaps 20] [--keep 1]
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import type { FlinkClient } from '@millwright/cluster'
import { type JobStatus, jobStatus } from '@millwright/cluster'
import { activationKey, packageParts } from '@millwright/cluster/kafka'
import type { Plan } from '@millwright/core'
import { KafkaIngest, writeInOrder } from '@millwright/gateways/kafka'
import { percentile } from '../../bench/measure.ts'
import { KafkaModels } from '../../packages/cli/src/kafka/model-updates.ts'
import { loadProject } from '../../packages/cli/src/project/load-project.ts'
import type { DevelopmentCluster } from '../../packages/cluster/src/development/index.ts'
import { AlertWatch } from './support/alert-watch.ts'
import { hostilePackages } from './support/hostile-packages.ts'
import { readCommitted } from './support/kafka-outputs.ts'
import { auditTopics } from './support/kafka-swap-audit.ts'
import type { KafkaSwapLoad } from './support/kafka-swap-load.ts'
import { startLoadThread } from './support/load-thread.ts'
import { proofPackage, sha256Hex } from './support/packages.ts'
import { eventually, numberArgument, type Proof, prove } from './support/proof.ts'
import { withProofCluster } from './support/proof-cluster.ts'
import { writeProofProject } from './support/proof-plant.ts'
import type { SwapLoadResult } from './support/swap-load.ts'

const partitionCount = 3
const deviceCount = 96
/** About a second of what the job takes: more would only wait in Kafka, and with it the first alert by a new model. */
const readingsUnderWayMax = 100_000
/** Of the swap whose package is larger than the largest message of a broker. */
const largeSwap = 3
const largeTreeCount = 3000
/** Alerts that must come after something happened, to show that the job goes on. */
const alertsAfterwards = 2000
const heartbeatEveryMs = 1000

interface Swap {
  readonly version: string
  readonly activeFromMs: number
  readonly acknowledgedAtMs: number
  /** Of the job, and as a reader of committed records sees it. */
  readonly firstSaidAtMs: number
  readonly firstCommittedAtMs: number
}

/** Everything that a step of the proof needs. */
interface Plant {
  readonly proof: Proof
  readonly cluster: DevelopmentCluster
  readonly flink: FlinkClient
  readonly plan: Plan
  readonly models: KafkaModels
  readonly committed: AlertWatch
  readonly uncommitted: AlertWatch
}

await prove('cluster-swap', 1500, async (proof) => {
  // The shorter the checkpoints, the sooner an alert is committed: what the swap itself takes is what is asked for.
  const switches = { flink: { 'execution.checkpointing.interval': '1 s' } }
  await withProofCluster(proof, 'proof-swap', switches, async (cluster) => {
    const project = writeProofProject(join(proof.folder, 'project'), null)
    const { plan } = await loadProject(project)
    await deploy(proof, project, cluster)
    const flink = cluster.openFlink()
    const models = await KafkaModels.open(cluster.kafka, plan)
    const heartbeats = await startHeartbeats(cluster)
    try {
      const committed = await AlertWatch.committed(proof, cluster.kafka)
      const uncommitted = await AlertWatch.uncommitted(proof, cluster.kafka)
      const plant = { proof, cluster, flink, plan, models, committed, uncommitted }
      const load = startLoad(plant)
      const swaps = await swapModels(plant, numberArgument('swaps', 20))
      await refuseHostile(plant, swaps.length - 1)
      await checkNotRestarted(plant)
      await killAndGoOn(plant, swaps.length - 1)
      const sent = await load.stop()
      await eventually('the alerts of all readings', 120, async () =>
        committed.alertCount >= sent.closedWindowCount ? true : null,
      )
      proof.say(`${sent.lineCount} readings in, ${committed.alertCount} alerts out`)
      await auditTopics(proof, cluster.kafka, { plan, sent, highWhenCalm })
      report(proof, swaps)
    } finally {
      await heartbeats.stop()
      await models.close()
      await flink.close()
    }
  })
})

/** What a model of this proof answers: even ones find calm machines risky, odd ones the others. */
function highWhenCalm(version: string): boolean {
  return Number(version.slice(version.indexOf('-') + 1)) % 2 === 0
}

function versionOf(swap: number): string {
  return `swap-${swap}`
}

/** Publishes, waits for the first alert by the new version, and so on. The first is no swap: nothing was in force before. */
async function swapModels(plant: Plant, swapCount: number): Promise<Swap[]> {
  const swaps: Swap[] = []
  for (let i = 0; i <= swapCount; i++) swaps.push(await swapTo(plant, i, i === largeSwap ? largeTreeCount : 0))
  const bytes = proofPackage(versionOf(largeSwap), highWhenCalm(versionOf(largeSwap)), largeTreeCount)
  const parts = packageParts({ name: 'proof', version: versionOf(largeSwap) }, bytes)
  plant.proof.check(
    parts.length > 1 && bytes.length > 1_048_576,
    `among them a package of ${(bytes.length / 1e6).toFixed(1)} MB, in ${parts.length} messages`,
  )
  return swaps
}

async function swapTo(plant: Plant, swap: number, idleTreeCount = 0): Promise<Swap> {
  const version = versionOf(swap)
  const said = plant.uncommitted.firstBy(version)
  const seen = plant.committed.firstBy(version)
  const { activeFrom } = await plant.models.publish(proofPackage(version, highWhenCalm(version), idleTreeCount))
  const acknowledgedAtMs = Date.now()
  return {
    version,
    activeFromMs: activeFrom,
    acknowledgedAtMs,
    firstSaidAtMs: await said,
    firstCommittedAtMs: await seen,
  }
}

/**
 * Writes hostile packages past the publisher's own check, each with its activation, and records that are neither; each must be refused,
 * and change nothing.
 */
async function refuseHostile(plant: Plant, lastSwap: number): Promise<void> {
  const { proof, cluster } = plant
  const wanted = new Map<string, string>()
  for (const [i, { what, bytes, reason }] of hostilePackages().entries()) {
    // The version is what the refusal is known by again.
    const version = `hostile-${i} ${what}`
    await writeUpdate(cluster, version, sha256Hex(bytes), packageParts({ name: 'proof', version }, bytes))
    wanted.set(version, reason)
  }
  const sound = proofPackage('sound', true, largeTreeCount)
  const parts = packageParts({ name: 'proof', version: 'sound' }, sound)
  const otherSha256 = '07'.repeat(32)
  await writeUpdate(cluster, 'half a package', sha256Hex(sound), parts.slice(0, 1))
  await writeUpdate(cluster, 'a package that never was', '08'.repeat(32), [])
  const lies = packageParts({ name: 'proof', version: 'lie' }, proofPackage('lie', true)).map(({ key, value }) => {
    const lie = Buffer.from(value)
    lie.write(otherSha256, 16, 'hex')
    return { key, value: lie }
  })
  await writeUpdate(cluster, 'another package’s parts', otherSha256, lies)
  wanted.set('another package’s parts', 'digest-differs')
  await writeInOrder(cluster.kafka, 'model-updates', [
    { key: 'a part without a head', value: Buffer.from('MWPART01') },
    { key: 'no update at all', value: Buffer.from('<!doctype html>') },
  ])
  const refusalCount = wanted.size + 2
  const found = await eventually('what is refused, on dead-letters', 60, async () => {
    const refusals = await refusedUpdates(cluster)
    return refusals.length >= refusalCount ? refusals : null
  })
  const wrong = [...wanted].filter(([version, reason]) => {
    return found.filter((refusal) => refusal.version === version && refusal.reason === reason).length !== 1
  })
  for (const [version, reason] of wrong) proof.say(`not refused, or otherwise than for ${reason}: ${version}`)
  proof.check(
    wanted.size > 20 && wrong.length === 0 && found.length === refusalCount,
    `${refusalCount} hostile updates are refused, each once and with its reason (${found.length} refusals)`,
  )
  await scoresOn(plant, lastSwap, 'after the hostile packages, of which one lacks a part and one never came,')
}

/** Sees many more alerts, and one by the model that is to be in force. */
async function scoresOn({ proof, committed }: Plant, swap: number, when: string): Promise<void> {
  const before = committed.alertCount
  const own = committed.firstBy(versionOf(swap))
  await eventually(`alerts ${when}`, 120, async () => (committed.alertCount > before + alertsAfterwards ? true : null))
  await own
  proof.check(true, `${when} ${versionOf(swap)} scores on`)
}

async function writeUpdate(
  cluster: DevelopmentCluster,
  version: string,
  sha256: string,
  parts: ReturnType<typeof packageParts>,
): Promise<void> {
  const update = { name: 'proof', version, sha256, activeFrom: Date.now() + 500 }
  const activation = { key: activationKey('proof', randomUUID()), value: Buffer.from(JSON.stringify(update)) }
  await writeInOrder(cluster.kafka, 'model-updates', [...parts, activation])
}

/** What was refused: its version where it was an activation, and why. */
async function refusedUpdates(
  cluster: DevelopmentCluster,
): Promise<{ version: string | null; reason: string | null }[]> {
  const found: { version: string | null; reason: string | null }[] = []
  await readCommitted(cluster.kafka, 'dead-letters', [], ({ value }) => {
    const letter = JSON.parse(Buffer.from(value).toString()) as { reason: string; message: string; bytes: string }
    if (letter.reason !== 'model-refused') return
    const reason = /^Refused the model package \(([^)]+)\)/.exec(letter.message)?.[1] ?? null
    const version = reason === null ? null : (JSON.parse(letter.bytes) as { version: string }).version
    found.push({ version, reason })
  })
  return found
}

async function checkNotRestarted(plant: Plant): Promise<void> {
  const { restarts, failures } = await statusOf(plant)
  plant.proof.check(
    restarts === 0 && failures.length === 0,
    `over all of that the job was not restarted (numRestarts ${restarts})`,
  )
}

/** Kills a task manager; the model that was in force is again, nothing is told twice, and another swap works. */
async function killAndGoOn(plant: Plant, lastSwap: number): Promise<void> {
  const { proof, cluster } = plant
  const told = (await refusedUpdates(cluster)).length
  await cluster.kill('task-manager-1')
  await cluster.start('task-manager-1')
  const status = await eventually('the job after the kill', 120, async () => {
    const now = await statusOf(plant)
    return (now.restarts ?? 0) > 0 && now.subtasksRunning === now.subtasks ? now : null
  })
  await scoresOn(plant, lastSwap, `after kill -9 of a task manager (numRestarts ${status.restarts})`)
  const { firstCommittedAtMs, acknowledgedAtMs } = await swapTo(plant, lastSwap + 1)
  proof.check(
    (await refusedUpdates(cluster)).length === told,
    `a swap after it works too, in ${firstCommittedAtMs - acknowledgedAtMs} ms; what was refused is not told again`,
  )
}

async function statusOf({ flink, plan }: Plant): Promise<JobStatus> {
  const status = await jobStatus(flink, plan.name)
  if (status === null) throw new Error('the job of the plant runs')
  return status
}

function report(proof: Proof, swaps: readonly Swap[]): void {
  const some = swaps.slice(1)
  const told = (of: (swap: Swap) => number): string => {
    const times = some.map(of)
    return `p50 ${percentile(times, 0.5)} ms, p99 ${percentile(times, 0.99)} ms`
  }
  proof.say(`${some.length} swaps, each in force a second after it was published; from the acknowledgement to`)
  proof.say(`  the moment it is in force: ${told((swap) => swap.activeFromMs - swap.acknowledgedAtMs)}`)
  proof.say(`  the first alert that the job writes: ${told((swap) => swap.firstSaidAtMs - swap.acknowledgedAtMs)}`)
  proof.say(`  the first alert that readers see: ${told((swap) => swap.firstCommittedAtMs - swap.acknowledgedAtMs)}`)
}

/** Deploys as a user does. */
async function deploy(proof: Proof, project: string, cluster: DevelopmentCluster): Promise<void> {
  const main = join(import.meta.dirname, '../../packages/cli/bin/millwright.js')
  const args = ['deploy', project, '--flink', cluster.flinkUrl, '--kafka', cluster.bootstrapServers.join(',')]
  const child: ChildProcess = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
  proof.onEnd(() => void child.kill('SIGKILL'))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`deploy ended with ${code}`)
}

/** Carries time forward on quiet partitions, as a gateway does: models that were replaced are let go of by it. */
async function startHeartbeats(cluster: DevelopmentCluster): Promise<{ stop(): Promise<void> }> {
  const gateway = await KafkaIngest.open(cluster.kafka)
  const timer = setInterval(() => void gateway.heartbeat(), heartbeatEveryMs)
  return {
    async stop() {
      clearInterval(timer)
      await gateway.close()
    },
  }
}

/** Sends readings from a thread of its own, so that this one sees alerts when they come. */
function startLoad({ proof, cluster, committed }: Plant): { stop(): Promise<SwapLoadResult> } {
  const load: KafkaSwapLoad = {
    connection: cluster.kafka,
    partitionCount,
    deviceCount,
    startMs: Date.now() - 20 * 3_600_000,
    alertCount: committed.count,
    readingsUnderWayMax,
  }
  return startLoadThread(proof, new URL('./support/kafka-swap-load.ts', import.meta.url), load)
}
