import type { JobStatus, PartitionPosition } from '@millwright/cluster'
import type { PartitionLag } from '@millwright/gateways/kafka'
import { formatBytes, formatCount } from '../terminal/progress.ts'

/**
 * A job's status for a person: what matters first, then what it did, then what went wrong.
 *
 * @param lags Of the partitions that it reads; `null` where Kafka was not asked.
 * @param nowMs Epoch milliseconds.
 */
export function jobStatusText(status: JobStatus, lags: readonly PartitionLag[] | null, nowMs: number): string {
  const { checkpoints, positions, failures } = status
  const rows: [string, string][] = [
    ['job', `${status.name} ${status.jobId}`],
    ['state', `${status.state}, ${status.subtasksRunning} of ${status.subtasks} subtasks run`],
    ['since', `${new Date(status.startedAtMs).toISOString()} (${duration(nowMs - status.startedAtMs)})`],
    [
      'deployed by',
      status.release === null ? 'unknown: not by millwright' : `millwright ${status.release}, build ${status.digest}`,
    ],
    ['parallelism', String(status.parallelism)],
    ['checkpoints', `${formatCount(checkpoints.completed)} done, ${formatCount(checkpoints.failed)} failed`],
  ]
  const { latest } = checkpoints
  if (latest !== null)
    rows.push([
      '  latest',
      `${duration(nowMs - latest.triggeredAtMs)} ago, took ${latest.durationMs} ms, ${formatBytes(latest.stateBytes)}, of it new ${formatBytes(latest.writtenBytes)}`,
    ])
  if (checkpoints.latestFailure !== null) rows.push(['  failed', checkpoints.latestFailure])
  if (status.recordsIn !== null) rows.push(['records in', formatCount(status.recordsIn)])
  if (status.recordsOut !== null) rows.push(['records out', formatCount(status.recordsOut)])
  if (status.recordsWaiting !== null) rows.push(['waiting in Kafka', formatCount(status.recordsWaiting)])
  rows.push(...partitionRows(positions, lags))
  rows.push([
    'time reached',
    status.watermarkMs === null
      ? 'not yet in every subtask'
      : `${new Date(status.watermarkMs).toISOString()}, ${duration(nowMs - status.watermarkMs)} behind the clock`,
  ])
  const { slowest, recordsHeld } = status
  if (slowest !== null)
    rows.push([
      '  held back by',
      `${slowest.topic} ${slowest.partition}, ${slowest.timeReachedMs === null ? 'of which nothing has come' : `read to ${duration(nowMs - slowest.timeReachedMs)} before now`}`,
    ])
  if (recordsHeld !== null && recordsHeld > 0) rows.push(['  records held', formatCount(recordsHeld)])
  if (status.devices !== null) rows.push(['devices', formatCount(status.devices)])
  if (status.heapBytes !== null) {
    const external =
      status.externalBytes === null ? '' : `, array buffers outside of it ${formatBytes(status.externalBytes)}`
    rows.push(['V8 heap', `${formatBytes(status.heapBytes)}${external}`])
  }
  if (status.restarts !== null) rows.push(['restarts', formatCount(status.restarts)])
  for (const { at, cause, task } of failures)
    rows.push([`  ${new Date(at).toISOString()}`, `${cause}${task === null ? '' : ` (${task})`}`])
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')
}

/** How far each partition is read, and how far that is from its end. */
function partitionRows(
  positions: readonly PartitionPosition[],
  lags: readonly PartitionLag[] | null,
): [string, string][] {
  const readTo = (position: PartitionPosition | undefined): string =>
    position === undefined
      ? 'Flink does not tell where it is read'
      : position.offset < 0
        ? 'nothing read since the job, or its last restart, began'
        : `read to offset ${formatCount(position.offset)}`
  if (lags === null)
    return [
      ...positions.map((position): [string, string] => [`  ${position.topic} ${position.partition}`, readTo(position)]),
      ['  lag', 'of each partition: with --kafka HOST:PORT,…'],
    ]
  return lags.map(({ topic, partition, lag }) => {
    const position = positions.find((one) => one.topic === topic && one.partition === partition)
    const behind = lag === null ? 'lag not known' : `lag ${formatCount(lag)}`
    return [`  ${topic} ${partition}`, `${readTo(position)}, ${behind}`]
  })
}

function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`
  const seconds = Math.round(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  return hours < 72 ? `${hours} h` : `${Math.round(hours / 24)} days`
}
