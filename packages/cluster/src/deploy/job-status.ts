import type { FlinkClient } from '../flink/flink-client.ts'
import type { FlinkCheckpoint, FlinkException, FlinkJobState } from '../flink/flink-types.ts'
import { findRunningJob } from './job-parameters.ts'

/** How far a partition is read. */
export interface PartitionPosition {
  readonly topic: string
  readonly partition: number
  /** Of the last record taken, as Flink tells it; below 0 before the first. */
  readonly offset: number
  /** Append time of the newest record that was taken since the job, or its last restart, began; `null` where none was. */
  readonly timeReachedMs: number | null
}

/** How a plant's job is, as Flink tells it. Times are epoch milliseconds; what Flink does not say is `null`. */
export interface JobStatus {
  readonly jobId: string
  readonly name: string
  readonly state: FlinkJobState
  readonly startedAtMs: number
  /** Of millwright, that deployed it; `null` for a job started by hand. */
  readonly release: string | null
  readonly digest: string | null
  readonly parallelism: number
  readonly subtasksRunning: number
  readonly subtasks: number
  readonly checkpoints: {
    readonly completed: number
    readonly failed: number
    readonly latest: FlinkCheckpoint | null
    readonly latestFailure: string | null
  }
  /** Times that the job went back to a checkpoint, with the newest causes. */
  readonly restarts: number | null
  readonly failures: readonly Pick<FlinkException, 'at' | 'cause' | 'task'>[]
  /** Records read from topics and written to them since the job, or its last restart, began. */
  readonly recordsIn: number | null
  readonly recordsOut: number | null
  /** Where each partition is read, in the order of topics and partitions. */
  readonly positions: readonly PartitionPosition[]
  /** Records in Kafka that no subtask has taken yet. */
  readonly recordsWaiting: number | null
  /** Append time that every subtask has reached; `null` before all have one. */
  readonly watermarkMs: number | null
  /** Records taken that wait until every partition has come as far; 0 where the project does not look at device events. */
  readonly recordsHeld: number | null
  /** The partition that time waits for; `null` where none is known. */
  readonly slowest: PartitionPosition | null
  /** Devices that are known and not forgotten; `null` before the subtasks have told. */
  readonly devices: number | null
  /** Heap of V8 in all subtasks. */
  readonly heapBytes: number | null
  /** What its array buffers hold outside of it, in all subtasks; without WebAssembly's memories. */
  readonly externalBytes: number | null
}

const failuresMax = 5

/** Asks Flink for the job of a plan; `null` when none runs. */
export async function jobStatus(flink: FlinkClient, name: string): Promise<JobStatus | null> {
  const running = await findRunningJob(flink, name)
  if (running === null) return null
  const { job, parameters } = running
  const [detail, checkpoints, failures, metrics] = await Promise.all([
    flink.job(job.id),
    flink.checkpoints(job.id),
    flink.exceptions(job.id, failuresMax),
    flink.jobMetrics(job.id, ['numRestarts']),
  ])
  const vertex = (part: string) => detail.vertices.find(({ name: vertexName }) => vertexName.includes(part))
  const [source, guest] = [vertex('Source: records'), vertex('guest')]
  const counts = async (id: string | undefined, wanted: (name: string) => boolean): Promise<Record<string, number>> => {
    if (id === undefined) return {}
    const names = (await flink.subtaskMetricNames(job.id, id, 0)).filter(wanted)
    if (names.length === 0) return {}
    const found = await flink.aggregatedMetrics(job.id, id, names)
    return Object.fromEntries(Object.entries(found).map(([metric, { sum }]) => [metric, sum]))
  }
  const [sourceCounts, guestCounts, watermarkMs, positions] = await Promise.all([
    counts(source?.id, (metric) => /^Source__records\.(?:numRecordsIn|pendingRecords)$/.test(metric)),
    counts(guest?.id, (metric) =>
      /^guest\.guest_(?:records_out_total|records_held|keys|heap_used_bytes|external_bytes)$/.test(metric),
    ),
    guest === undefined ? null : timeReachedBy(flink, job.id, guest.id),
    source === undefined ? [] : positionsOf(flink, job.id, source.id, source.parallelism),
  ])
  return {
    jobId: job.id,
    name: job.name,
    state: job.state,
    startedAtMs: job.startedAtMs,
    release: parameters?.release ?? null,
    digest: parameters?.digest ?? null,
    parallelism: guest?.parallelism ?? 0,
    subtasksRunning: detail.vertices.reduce((sum, { subtasks }) => sum + (subtasks['RUNNING'] ?? 0), 0),
    subtasks: detail.vertices.reduce((sum, { parallelism }) => sum + parallelism, 0),
    checkpoints: {
      completed: checkpoints.completedCount,
      failed: checkpoints.failedCount,
      latest: checkpoints.latestCompleted,
      latestFailure: checkpoints.latestFailed?.reason ?? null,
    },
    restarts: metrics['numRestarts'] === undefined ? null : Number(metrics['numRestarts']),
    failures: failures.map(({ at, cause, task }) => ({ at, cause, task })),
    recordsIn: sourceCounts['Source__records.numRecordsIn'] ?? null,
    recordsOut: guestCounts['guest.guest_records_out_total'] ?? null,
    positions,
    recordsWaiting: sourceCounts['Source__records.pendingRecords'] ?? null,
    watermarkMs,
    recordsHeld: guestCounts['guest.guest_records_held'] ?? null,
    slowest: slowestOf(positions),
    devices: guestCounts['guest.guest_keys'] ?? null,
    heapBytes: guestCounts['guest.guest_heap_used_bytes'] ?? null,
    externalBytes: guestCounts['guest.guest_external_bytes'] ?? null,
  }
}

/** Append time that the slowest subtask has come to; 0 or less before it has any. */
async function timeReachedBy(flink: FlinkClient, jobId: string, vertexId: string): Promise<number | null> {
  const metric = 'guest.guest_time_reached_ms'
  const slowest = (await flink.aggregatedMetrics(jobId, vertexId, [metric]))[metric]?.min ?? 0
  return slowest > 0 ? slowest : null
}

/** The source has metrics of each partition in the subtask that reads it: Flink's own of the offset, and ours of the time. */
async function positionsOf(
  flink: FlinkClient,
  jobId: string,
  vertexId: string,
  parallelism: number,
): Promise<PartitionPosition[]> {
  const pattern = /\.topic\.(.+)\.partition\.(\d+)\.(currentOffset|partition_time_reached_ms)$/
  const found = new Map<string, { topic: string; partition: number; offset: number; timeReachedMs: number | null }>()
  for (let subtask = 0; subtask < parallelism; subtask++) {
    const names = (await flink.subtaskMetricNames(jobId, vertexId, subtask)).filter((name) => pattern.test(name))
    if (names.length === 0) continue
    for (const [name, value] of Object.entries(await flink.subtaskMetrics(jobId, vertexId, subtask, names))) {
      const [, topic = '', number, metric] = pattern.exec(name) ?? []
      const position = found.get(`${topic} ${number}`) ?? {
        topic,
        partition: Number(number),
        offset: -1,
        timeReachedMs: null,
      }
      if (metric === 'currentOffset') position.offset = Number(value)
      else position.timeReachedMs = Number(value)
      found.set(`${topic} ${number}`, position)
    }
  }
  return [...found.values()].sort((a, b) =>
    a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition,
  )
}

/** The partition that has come least far: one that has given nothing before all others. Exported for its test. */
export function slowestOf(positions: readonly PartitionPosition[]): PartitionPosition | null {
  const reached = ({ timeReachedMs }: PartitionPosition): number => timeReachedMs ?? Number.NEGATIVE_INFINITY
  return positions.reduce<PartitionPosition | null>(
    (slowest, position) => (slowest === null || reached(position) < reached(slowest) ? position : slowest),
    null,
  )
}
