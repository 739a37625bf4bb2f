/**
 * A fleet of a million devices as keyed state on RocksDB: what a checkpoint weighs and takes, and how long a job is away when a task
 * manager is killed.
 *
 *     node bench/cluster-million.ts [--devices 1000000] [--rounds 3]
 *
 * bench/README.md says what each figure means.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type FlinkClient, type JobStatus, jobStatus } from '@millwright/cluster'
import { DevelopmentCluster, streamProgress, type TaskManagerRole } from '../packages/cluster/src/development/index.ts'
import { endOf, fillTopic, linesWithoutLocality } from './cluster-topics.ts'
import { machineText } from './machine.ts'
import { deployReference } from './reference-deployment.ts'
import { markdownOf } from './report.ts'

const taskManagers: readonly TaskManagerRole[] = ['task-manager-1', 'task-manager-2']
/** Two readings of a device are so far apart that each closes the window before it. */
const stepMs = 305_000
const pollMs = 250

const { values } = parseArgs({
  options: { devices: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '3' } },
})
const deviceCount = Number(values.devices)
const rounds = Number(values.rounds)
const say = (text: string): boolean => process.stderr.write(`${text}\n`)

const cluster = await DevelopmentCluster.open({
  name: 'bench-million',
  progress: streamProgress(),
  switches: { highAvailability: false, flink: { 'state.backend.type': 'rocksdb' } },
})
const flink = cluster.openFlink()
try {
  const job = await deployReference(cluster, flink, fill)
  let said = -1
  const processed = await until(flink, job, ({ recordsIn, recordsWaiting }) => {
    if (recordsIn !== null && recordsIn !== said) say(`${recordsIn} of ${deviceCount * rounds} readings`)
    said = recordsIn ?? said
    return recordsIn === deviceCount * rounds && recordsWaiting === 0
  })
  // The one under way may have begun before the last reading; the one after it has all devices, and little that is new.
  const whole = await nextCheckpoint(job, processed)
  const quiet = await nextCheckpoint(job, whole)
  const resident = residentMegabytes()
  const recovery = await recover(job, quiet)
  print({ whole, quiet, resident, recovery })
} finally {
  await flink.close()
  await cluster.down()
}

async function fill(): Promise<void> {
  say(`Filling the topic with ${rounds} readings of each of ${deviceCount} devices`)
  await fillTopic(cluster.kafka, 'sensor-data', linesWithoutLocality({ deviceCount, rounds, stepMs }))
}

/** Kills a task manager, starts it again, and lets one more reading of some devices show that their windows are still known. */
async function recover(name: string, before: JobStatus): Promise<{ running: number; firstWindow: number }> {
  const from = await endOf(cluster.kafka, 'device-features')
  const killedMs = performance.now()
  await cluster.kill('task-manager-1')
  await cluster.start('task-manager-1')
  await until(
    flink,
    name,
    ({ restarts, subtasks, subtasksRunning }) =>
      (restarts ?? 0) > (before.restarts ?? 0) && subtasksRunning === subtasks,
  )
  const running = (performance.now() - killedMs) / 1000
  const closing = [...linesWithoutLocality({ deviceCount: 1000, rounds: rounds + 1, stepMs })].slice(-1000)
  await fillTopic(cluster.kafka, 'sensor-data', closing)
  while ((await endOf(cluster.kafka, 'device-features')).every((end, partition) => end === from[partition]))
    await wait(pollMs)
  return { running, firstWindow: (performance.now() - killedMs) / 1000 }
}

async function nextCheckpoint(name: string, after: JobStatus): Promise<JobStatus> {
  const known = after.checkpoints.latest?.id ?? 0
  return await until(flink, name, ({ checkpoints }) => (checkpoints.latest?.id ?? 0) > known + 1)
}

async function until(client: FlinkClient, name: string, holds: (status: JobStatus) => boolean): Promise<JobStatus> {
  for (;;) {
    const status = await jobStatus(client, name)
    if (status === null) throw new Error(`the job ${name} has ended`)
    if (holds(status)) return status
    await wait(pollMs)
  }
}

function residentMegabytes(): number[] {
  return taskManagers.map((role) => Math.round((cluster.usage(role)?.residentBytes ?? Number.NaN) / 1e6))
}

function print(found: {
  readonly whole: JobStatus
  readonly quiet: JobStatus
  readonly resident: readonly number[]
  readonly recovery: { readonly running: number; readonly firstWindow: number }
}): void {
  const sizeOf = ({ checkpoints }: JobStatus): string =>
    `${((checkpoints.latest?.stateBytes ?? Number.NaN) / 1e6).toFixed(0)} MB`
  const timeOf = ({ checkpoints }: JobStatus): string =>
    `${((checkpoints.latest?.durationMs ?? Number.NaN) / 1000).toFixed(1)} s`
  const report = {
    title: `${deviceCount.toLocaleString('en')} devices on RocksDB, ${rounds} readings each`,
    header: ['', 'found'],
    rows: [
      ['checkpoint after the last reading', `${sizeOf(found.whole)} of state, ${timeOf(found.whole)}`],
      ['checkpoint with nothing new', `${sizeOf(found.quiet)} of state, ${timeOf(found.quiet)}`],
      ['resident memory of the task managers', found.resident.map((megabytes) => `${megabytes} MB`).join(', ')],
      ['task manager killed until all subtasks run', `${found.recovery.running.toFixed(1)} s`],
      ['… until the first committed window', `${found.recovery.firstWindow.toFixed(1)} s`],
    ],
    goals: [],
    notes: [`Both task managers share ${machineText()} with the brokers; the job went back to its newest checkpoint.`],
    figures: [],
  }
  process.stdout.write(`${markdownOf(report)}\n`)
}
