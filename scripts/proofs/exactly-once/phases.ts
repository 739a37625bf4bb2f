import type {
  DevelopmentCluster,
  ProcessRole,
  TaskManagerRole,
} from '../../../packages/cluster/src/development/index.ts'
import type { BrokerRole } from '../../../packages/cluster/src/development/roles.ts'
import { eventually, pause } from '../support/proof.ts'
import type { JobWatch } from './job-watch.ts'
import type { KafkaProbe, OpenRecord } from './kafka-probe.ts'

/** What a phase strikes with, and at. */
export interface Target {
  readonly cluster: DevelopmentCluster
  readonly job: JobWatch
  readonly probe: KafkaProbe
  readonly outputs: readonly string[]
  readonly partitionCount: number
  /** Of the job's checkpoints, milliseconds. */
  readonly checkpointIntervalMs: number
  readonly chance: () => number
}

/** Processes that were killed and not started again yet. */
export interface Strike {
  readonly killed: readonly ProcessRole[]
  /** When the last of them was killed, epoch milliseconds. */
  readonly atMs: number
  readonly note: string
  /** Asked when the job is whole again: whether it hit what the phase is about. */
  hit(): Promise<boolean>
}

export interface Phase {
  readonly name: string
  strike(target: Target): Promise<Strike>
}

const openRecordSecondsMax = 60

/** At any moment between two checkpoints: a task manager that runs some of the job. A hit when the job went back to a checkpoint. */
const taskManager: Phase = {
  name: 'task-manager',
  async strike(target) {
    const role = chosen(await target.job.hosts(), target.chance)
    await anyMoment(target)
    return struck(target, [role], '')
  },
}

/** As that, the JobManager. */
const jobManager: Phase = {
  name: 'job-manager',
  async strike(target) {
    await anyMoment(target)
    return struck(target, ['job-manager'], '')
  },
}

/** A broker that leads a partition with an open transaction of the job in it, which makes it a hit. */
const broker: Phase = {
  name: 'broker',
  async strike(target) {
    await anyMoment(target)
    const { role, open } = await brokerWithOpenRecord(target)
    const atMs = await kill(target, role)
    return { killed: [role], atMs, note: noteOf(open), hit: async () => true }
  },
}

/** All three kinds, in any order, before the first is back. A hit when the job went back to a checkpoint after the last. */
const inTurn: Phase = {
  name: 'in-turn',
  async strike(target) {
    const host = chosen(await target.job.hosts(), target.chance)
    const { role, open } = await brokerWithOpenRecord(target)
    const roles = shuffled<ProcessRole>([host, 'job-manager', role], target.chance)
    for (const each of roles.slice(0, -1)) {
      await kill(target, each)
      await pause(target.chance() * 1500)
    }
    return struck(target, roles, noteOf(open))
  },
}

/**
 * A window has fired and its record is in Kafka, and no checkpoint has made it valid: then the task manager that wrote it dies. A hit
 * when that very record was taken back; where its checkpoint was complete just before, it is committed after all, and does not count.
 */
const betweenFiringAndCheckpoint: Phase = {
  name: 'between-firing-and-checkpoint',
  async strike(target) {
    const hosts = await target.job.hosts()
    // Not always just after a checkpoint.
    await pause(target.chance() * target.checkpointIntervalMs)
    const open = await eventually('a record that is not committed', openRecordSecondsMax, () =>
      target.probe.openRecord('alert-signals', target.partitionCount, target.chance).catch(() => null),
    )
    const role = hosts[subtaskOf(open)] as TaskManagerRole
    const { killed, atMs } = await struck(target, [role], '')
    const hit = async (): Promise<boolean> => {
      const { topic, partition, offset } = open
      await eventually(`${topic}-${partition} is read past ${offset}`, openRecordSecondsMax, async () =>
        target.probe.ends(topic, partition).then(
          ({ stable }) => (stable > offset ? true : null),
          () => null,
        ),
      )
      const records = await target.probe.committed(topic, partition, offset)
      return records[0]?.offset !== offset
    }
    return { killed, atMs, note: noteOf(open), hit }
  },
}

export const phases: readonly Phase[] = [taskManager, betweenFiringAndCheckpoint, broker, jobManager, inTurn]

/** Begins with a checkpoint, so that the moments of an interval are struck alike. */
async function anyMoment({ job, checkpointIntervalMs, chance }: Target): Promise<void> {
  await job.checkpointBegunAfter(Date.now() - checkpointIntervalMs, 120)
  await pause(chance() * checkpointIntervalMs)
}

async function brokerWithOpenRecord(target: Target): Promise<{ role: BrokerRole; open: OpenRecord }> {
  return eventually('a broker with an open transaction', openRecordSecondsMax, async () => {
    const leaders = await target.probe.leaders(target.outputs).catch(() => new Map<string, BrokerRole>())
    const topic = chosen(target.outputs, target.chance)
    const open = await target.probe.openRecord(topic, target.partitionCount, target.chance).catch(() => null)
    const role = open === null ? undefined : leaders.get(`${open.topic}-${open.partition}`)
    return open === null || role === undefined ? null : { role, open }
  })
}

/** Kills the last of `roles`; the others are dead. */
async function struck(target: Target, roles: readonly ProcessRole[], note: string): Promise<Strike> {
  const atMs = await kill(target, roles.at(-1) as ProcessRole)
  return { killed: roles, atMs, note, hit: () => target.job.wasRestoredAfter(atMs) }
}

/** @returns When, epoch milliseconds. @throws When it did not run: a strike at nothing must not count. */
async function kill({ cluster }: Target, role: ProcessRole): Promise<number> {
  const atMs = Date.now()
  if (!(await cluster.kill(role))) throw new Error(`${role} was not running when it was to be killed`)
  return atMs
}

/** Ids of Flink's sink from a pool: prefix, subtask, number. */
function subtaskOf({ transactionalId }: OpenRecord): number {
  const subtask = /-(\d+)-\d+$/.exec(transactionalId)?.[1]
  if (subtask === undefined) throw new Error(`the transactional id ${transactionalId} names no subtask`)
  return Number(subtask)
}

function noteOf({ topic, partition, offset, transactionalId }: OpenRecord): string {
  return `${topic}-${partition} from ${offset} open in ${transactionalId}`
}

function chosen<T>(from: readonly T[], chance: () => number): T {
  return from[Math.floor(chance() * from.length)] as T
}

function shuffled<T>(items: readonly T[], chance: () => number): T[] {
  return items
    .map((item) => ({ item, place: chance() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}
