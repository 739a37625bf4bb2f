/**
 * Proof: `millwright deploy`, `status`, `scale` and `cancel` on a real Flink and a real Kafka. What comes out is what `replay` gives, record for
 * record, over a change of parallelism, a killed task manager, a changed project and a stop; what old state cannot serve is refused
 * while the job runs. Flink's own configuration says nothing of checkpoints but where they lie: the job brings them. A Flink that has forgotten the
 * job makes no difference: it is not begun anew unasked.
 *
 *   node scripts/proofs/deploy.ts [--keep 1]
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pressPackage, writeProject } from '../../packages/cli/src/commands/command-testing.ts'
import {
  clusterMissing,
  DevelopmentCluster,
  defaultCacheFolder,
  streamProgress,
} from '../../packages/cluster/src/development/index.ts'
import { takeDown } from '../../packages/cluster/src/development/take-down.ts'
import { type FlinkClient, topicDefinitions } from '../../packages/cluster/src/index.ts'
import { GroupOffsets, type PartitionLag } from '../../packages/gateways/src/kafka/index.ts'
import { command, did, startGateway, told } from './support/commands.ts'
import { minutesPerPart, readingsOfPart, startMs } from './support/press-readings.ts'
import { eventually, NotPossibleHere, numberArgument, prove } from './support/proof.ts'

const name = 'proof-deploy'
const deviceCount = 40
/** What a Flink of somebody else may leave open. */
const flinkOpen = [
  'execution.checkpointing.interval',
  'execution.checkpointing.mode',
  'execution.checkpointing.incremental',
  'execution.checkpointing.tolerable-failed-checkpoints',
  'state.backend.type',
]
/** How Flink shows the checkpoints of a job. */
interface CheckpointSettings {
  readonly mode: string
  /** Milliseconds. */
  readonly interval: number
  readonly tolerable_failed_checkpoints: number
  readonly externalization: { readonly enabled: boolean; readonly delete_on_cancellation: boolean }
  readonly state_backend: string
}
const copies = { replicationFactor: 3, minInSyncReplicas: 2 }

await prove('deploy', 1500, async (proof) => {
  const missing = clusterMissing()
  if (missing !== null) throw new NotPossibleHere(missing)
  const progress = streamProgress()
  await takeDown({ cacheFolder: defaultCacheFolder(), name, progress, keepData: false })
  const silence = Object.fromEntries(flinkOpen.map((key) => [key, '']))
  const switches = { highAvailability: false, flink: silence }
  const cluster = await DevelopmentCluster.open({ name, progress, switches })
  const kafka = ['--kafka', cluster.bootstrapServers.join(',')]
  const flink = ['--flink', cluster.flinkUrl]
  const project = writeProject(join(proof.folder, 'project'))
  const config = join(project, 'millwright.config.ts')
  const first = readFileSync(config, 'utf8')
  const model = join(proof.folder, 'press.mwmodel')
  writeFileSync(model, pressPackage('1'))
  const parts = [0, 1, 2, 3].map((part) => {
    const path = join(proof.folder, `part-${part}.ndjson`)
    writeFileSync(path, readingsOfPart(part, deviceCount).join('\n'))
    return path
  })
  /** Committed records of a topic by device, in their order. */
  const onKafka = async (topic: string): Promise<string[]> =>
    lines((await did('topics', 'export', topic, ...kafka)).stdout)
  const replayed = async (topic: string, scored: readonly string[] = []): Promise<Map<string, string[]>> => {
    const out = join(proof.folder, `replay-${Math.random()}`)
    await did('replay', project, '--out', out, ...scored, ...parts.flatMap((part) => ['--input', part]))
    return byDevice(lines(readFileSync(join(out, `${topic}.ndjson`), 'utf8')))
  }
  const ingested = async (part: number): Promise<void> => {
    await did('ingest', project, '--input', parts[part] ?? '', ...kafka)
  }
  /** Of each partition of `sensor-data`, then of `device-events`, as `status` says; `null` where it does not know. */
  const lagsOf = async (): Promise<(number | null)[]> => {
    const { lag } = await told('status', project, ...flink, ...kafka)
    return lag.map((of: PartitionLag) => of.lag)
  }
  /** Waits until a topic has so many committed records. */
  const come = async (topic: string, count: number, secondsMax: number): Promise<void> => {
    await eventually(`${count} records on ${topic}`, secondsMax, async () =>
      (await onKafka(topic)).length >= count ? true : null,
    )
  }
  // The last window of each device is open: nothing has come after it.
  const closedAfter = (partCount: number): number => deviceCount * (partCount * minutesPerPart - 1)
  const all = await replayed('alert-signals', ['--model', model])

  const tooMany = await command('deploy', project, ...flink, ...kafka, '--replication', '4')
  proof.check(
    tooMany.code === 2 && tooMany.stderr.includes('--replication'),
    'more copies of a topic than there are brokers are refused by the name of the flag',
  )
  const wantedCopies = [
    '--replication',
    String(copies.replicationFactor),
    '--min-in-sync',
    String(copies.minInSyncReplicas),
  ]
  const deployed = await told('deploy', project, ...flink, ...kafka, ...wantedCopies)
  proof.check(deployed.outcome === 'started', 'a project is bundled, uploaded and runs')
  const administration = cluster.openKafka()
  const { created, differences } = await administration.ensureTopics(topicDefinitions(copies))
  await administration.close()
  proof.check(
    created.length === 0 && differences.length === 0,
    'its topics have three copies, of which two must have a record',
  )
  const set = await asked(cluster, (client) => client.configuration())
  // What Flink's page shows of the job; the client has no use for it.
  const shown = await fetch(`${cluster.flinkUrl}/jobs/${deployed.jobId}/checkpoints/config`)
  const taken = (await shown.json()) as CheckpointSettings
  proof.check(
    flinkOpen.every((key) => set[key] === undefined) &&
      taken.mode === 'exactly_once' &&
      taken.interval === 10_000 &&
      taken.tolerable_failed_checkpoints === 10 &&
      taken.externalization.enabled &&
      !taken.externalization.delete_on_cancellation &&
      taken.state_backend.includes('RocksDB'),
    `Flink's own configuration leaves checkpoints open, and the job has them: ${JSON.stringify(taken)}`,
  )
  await did('models', 'publish', project, model, ...kafka)
  await ingested(0)
  await come('alert-signals', closedAfter(1), 120)
  const again = await told('deploy', project, ...flink, ...kafka)
  proof.check(again.outcome === 'unchanged', 'deployed again without a change it is left alone')

  await did('scale', '6', project, ...flink)
  await ingested(1)
  await come('alert-signals', closedAfter(2), 120)
  proof.check(true, 'it goes on with six subtasks on three partitions')

  // A job that has just begun has left no places yet: that comes with a checkpoint, by a client that finds its coordinator first.
  const places = new GroupOffsets({ bootstrapServers: cluster.bootstrapServers }, 'millwright', ['sensor-data'])
  await eventually('the places that the job leaves on Kafka', 120, async () =>
    places.known.length === 3 ? true : null,
  )
  await places.close()
  await cluster.kill('task-manager-1')
  await ingested(2)
  // Six subtasks do not fit into the slots that are left: nothing is read meanwhile.
  const lagAway = await lagsOf()
  await cluster.start('task-manager-1')
  await come('alert-signals', closedAfter(3), 240)
  // Flink's REST gathers the metrics of a task that has just begun only some seconds later.
  const status = await eventually('metrics of the new task manager', 60, async () => {
    const now = await told('status', project, ...flink)
    return now.checkpoints.completed > 0 && now.heapBytes > 0 ? now : null
  })
  proof.check(
    status.state === 'RUNNING' && status.failures.length > 0,
    `over a killed task manager it goes on: ${String(status.failures[0]?.cause).slice(0, 80)}…`,
  )
  proof.check(
    status.checkpoints.completed > 0 && status.heapBytes > 0 && status.externalBytes > 0 && status.recordsIn > 0,
    `its status knows checkpoints, records (${status.recordsIn} in), V8's heap and what is outside of it`,
  )
  const lagBack = await eventually('no lag', 60, async () => {
    const lag = await lagsOf()
    return lag.every((of) => of === 0) ? lag : null
  })
  const [readingsAway, eventsAway] = [lagAway.slice(0, 3), lagAway.slice(3)]
  proof.check(
    lagAway.length === 6 &&
      readingsAway.every((lag) => lag !== null && lag > 0) &&
      eventsAway.every((lag) => lag === 0) &&
      lagBack.length === 6,
    `and the lag of each of 6 partitions: ${lagAway.join(', ')} while the task manager was away, ${lagBack.join(', ')} behind transactions' ends later`,
  )
  const alerts = byDevice(await onKafka('alert-signals'))
  const equal = [...alerts].every(([device, found]) => equalHead(found, all.get(device) ?? []))
  proof.check(
    alerts.size === deviceCount && equal,
    `${closedAfter(3)} alert signals equal those of a replay, byte for byte, device by device`,
  )

  writeFileSync(config, first.replace("tumbling('1 min')", "tumbling('2 min')"))
  const refused = await command('deploy', project, ...flink, ...kafka)
  const stillRuns = await told('status', project, ...flink)
  proof.check(
    refused.code === 2 &&
      refused.stderr.includes('window') &&
      stillRuns.jobId === status.jobId &&
      stillRuns.state === 'RUNNING',
    'another window is refused with the reason, and the job goes on',
  )

  writeFileSync(
    config,
    first
      .replace('definePlant, mean', 'definePlant, max, mean')
      .replace("mean('vibration') }", "mean('vibration'), vibrationMax: max('vibration') }"),
  )
  const changed = await told('deploy', project, ...flink, ...kafka)
  proof.check(
    changed.outcome === 'replaced' && changed.parallelism === 6 && changed.notes.length > 0,
    `a new feature takes the devices' states along: ${changed.notes[0]}`,
  )
  await ingested(3)
  const countWanted = closedAfter(4)
  await come('device-features', countWanted, 120)
  const wanted = await replayed('device-features')
  const openAtChange = startMs + (3 * minutesPerPart - 1) * 60_000
  const features = byDevice(await onKafka('device-features'))
  const since = [...features]
    .flatMap(([device, found]) => found.map((line, i) => [device, i, line] as const))
    .filter(([, , line]) => JSON.parse(line).windowStart >= openAtChange)
  const wrong = since.filter(([device, i, line]) => !servedBy(line, wanted.get(device)?.[i] ?? '{}', openAtChange))
  proof.check(
    since.length === deviceCount * minutesPerPart && wrong.length === 0,
    `${since.length} windows after it equal a replay of the new project; the new feature is missing only where the window was open at the change`,
  )

  const ended = await told('cancel', project, ...flink)
  const anew = await command('deploy', project, ...flink, ...kafka)
  proof.check(
    anew.code === 2 && anew.stderr.includes(ended.savepoint),
    'after a stop it does not begin anew unasked, and names the savepoint',
  )
  const back = await told('deploy', project, ...flink, ...kafka, '--savepoint', ended.savepoint)
  proof.check(back.outcome === 'started', 'from the savepoint it goes on')

  const gateway = await startGateway(project, ...kafka)
  proof.onEnd(() => gateway.kill())
  const reaches = async (): Promise<boolean> => {
    const { watermarkMs } = await told('status', project, ...flink)
    return watermarkMs !== null && Date.now() - watermarkMs < 15_000
  }
  await eventually('the time of all subtasks', 60, async () => ((await reaches()) ? true : null))
  proof.check(true, "heartbeats of a gateway carry the operators' time forward on every partition")
  await gateway.stop()

  await eventually('a checkpoint of the job', 60, async () =>
    (await told('status', project, ...flink)).checkpoints.completed > 0 ? true : null,
  )
  await did('cancel', project, ...flink, '--without-savepoint')
  const cancelled = await command('deploy', project, ...flink, ...kafka)
  const retained = /file:\S+\/chk-\d+/.exec(cancelled.stderr)?.[0] ?? ''
  proof.check(
    cancelled.code === 2 && retained !== '' && existsSync(new URL(`${retained}/_metadata`)),
    'cancelled without a savepoint it leaves a checkpoint, which is named where the next deploy is refused',
  )
  await cluster.kill('job-manager')
  await cluster.start('job-manager')
  await cluster.ready()
  const known = await asked(cluster, (client) => client.listJobs())
  const forgotten = await command('deploy', project, ...flink, ...kafka)
  proof.check(
    forgotten.code === 2 && forgotten.stderr.includes('device-features') && known.length === 0,
    'a Flink that was started again knows of no job: refused all the same, by what stands on the topics',
  )
  const resumed = await told('deploy', project, ...flink, ...kafka, '--savepoint', retained)
  proof.check(resumed.outcome === 'started', 'from the checkpoint it goes on')
  await did('cancel', project, ...flink, '--without-savepoint')

  if (numberArgument('keep', 0) === 0) await cluster.down()
})

/** Asks Flink itself. */
async function asked<T>(cluster: DevelopmentCluster, ask: (flink: FlinkClient) => Promise<T>): Promise<T> {
  const flink = cluster.openFlink()
  try {
    return await ask(flink)
  } finally {
    await flink.close()
  }
}

/** Whether a window has the features that the new project gives; one that was open at the change may miss the new one. */
function servedBy(line: string, wantedLine: string, openAtChange: number): boolean {
  const [found, wanted] = [JSON.parse(line), JSON.parse(wantedLine)]
  if (found.windowStart > openAtChange) return line === wantedLine
  const { vibrationMax: foundMax, ...foundRest } = found.features
  const { vibrationMax: wantedMax, ...wantedRest } = wanted.features
  return JSON.stringify(foundRest) === JSON.stringify(wantedRest) && (foundMax === null || foundMax === wantedMax)
}

function byDevice(found: readonly string[]): Map<string, string[]> {
  const devices = new Map<string, string[]>()
  for (const line of found) {
    const { deviceId } = JSON.parse(line) as { deviceId: string }
    devices.set(deviceId, [...(devices.get(deviceId) ?? []), line])
  }
  return devices
}

function equalHead(found: readonly string[], wanted: readonly string[]): boolean {
  return found.length <= wanted.length && found.every((line, i) => line === wanted[i])
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}
