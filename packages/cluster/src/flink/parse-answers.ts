import type { Answer } from './answer.ts'
import type {
  FlinkCheckpoint,
  FlinkCheckpoints,
  FlinkException,
  FlinkJob,
  FlinkJobDetail,
  FlinkJobState,
  FlinkMetricAggregate,
  FlinkOverview,
  FlinkTaskManager,
  FlinkVertex,
  SavepointStatus,
} from './flink-types.ts'
import { rootCause } from './root-cause.ts'

/** From the answers of Flink's REST API (v1) to our words. Source: Flink's documentation, "REST API", for each path. */

const number = (answer: Answer): number => answer.number()
const text = (answer: Answer): string => answer.text()

/** `/overview` */
export function parseOverview(answer: Answer): FlinkOverview {
  return {
    version: answer.field('flink-version').text(),
    taskManagerCount: answer.field('taskmanagers').number(),
    slotCount: answer.field('slots-total').number(),
    freeSlotCount: answer.field('slots-available').number(),
    runningJobCount: answer.field('jobs-running').number(),
  }
}

/** An item of `/taskmanagers` */
export function parseTaskManager(answer: Answer): FlinkTaskManager {
  return {
    id: answer.field('id').text(),
    slotCount: answer.field('slotsNumber').number(),
    freeSlotCount: answer.field('freeSlots').number(),
    lastHeartbeatAtMs: answer.field('timeSinceLastHeartbeat').number(),
  }
}

/** An item of `/jobs/overview`, or `/jobs/ID` */
export function parseJob(answer: Answer): FlinkJob {
  const endedAtMs = answer.field('end-time').number()
  return {
    id: answer.field('jid').text(),
    name: answer.field('name').text(),
    state: answer.field('state').text() as FlinkJobState,
    startedAtMs: answer.field('start-time').number(),
    endedAtMs: endedAtMs < 0 ? null : endedAtMs,
  }
}

/** `/jobs/ID` */
export function parseJobDetail(answer: Answer): FlinkJobDetail {
  return { ...parseJob(answer), vertices: answer.field('vertices').list(parseVertex) }
}

function parseVertex(answer: Answer): FlinkVertex {
  return {
    id: answer.field('id').text(),
    name: answer.field('name').text(),
    parallelism: answer.field('parallelism').number(),
    maxParallelism: answer.field('maxParallelism').number(),
    status: answer.field('status').text(),
    subtasks: answer.field('tasks').entries(number),
  }
}

/** `/jobs/ID/checkpoints` */
export function parseCheckpoints(answer: Answer): FlinkCheckpoints {
  const counts = answer.field('counts')
  const latest = answer.field('latest')
  return {
    completedCount: counts.field('completed').number(),
    failedCount: counts.field('failed').number(),
    inProgressCount: counts.field('in_progress').number(),
    restoredCount: counts.field('restored').number(),
    latestCompleted: latest.field('completed').optional(parseCheckpoint),
    latestSavepoint: latest.field('savepoint').optional(parseCheckpoint),
    latestFailed: latest.field('failed').optional((failed) => ({
      id: failed.field('id').number(),
      triggeredAtMs: failed.field('trigger_timestamp').number(),
      reason: failed.field('failure_message').optional(text) ?? '',
    })),
    latestRestored: latest.field('restored').optional((restored) => ({
      id: restored.field('id').number(),
      path: restored.field('external_path').optional(text),
      restoredAtMs: restored.field('restore_timestamp').number(),
    })),
  }
}

function parseCheckpoint(answer: Answer): FlinkCheckpoint {
  return {
    id: answer.field('id').number(),
    kind: answer.field('is_savepoint').flag() ? 'savepoint' : 'checkpoint',
    triggeredAtMs: answer.field('trigger_timestamp').number(),
    durationMs: answer.field('end_to_end_duration').number(),
    stateBytes: answer.field('state_size').number(),
    writtenBytes: answer.field('checkpointed_size').optional(number) ?? answer.field('state_size').number(),
    path: answer.field('external_path').optional(text),
    kept: !answer.field('discarded').flag(),
  }
}

/** `/jobs/ID/exceptions`: newest first */
export function parseExceptions(answer: Answer): FlinkException[] {
  return answer
    .field('exceptionHistory')
    .field('entries')
    .list((entry) => {
      const trace = entry.field('stacktrace').text()
      return {
        at: entry.field('timestamp').number(),
        cause: rootCause(trace),
        trace,
        task: entry.field('taskName').optional(text),
        taskManagerId: entry.field('taskManagerId').optional(text),
      }
    })
}

/** `/jobs/ID/vertices/ID/subtasks/metrics` with `agg=sum,min,max` */
export function parseAggregates(answer: Answer): Record<string, FlinkMetricAggregate> {
  const metrics = answer.list((metric) => [
    metric.field('id').text(),
    { sum: metric.field('sum').number(), min: metric.field('min').number(), max: metric.field('max').number() },
  ])
  return Object.fromEntries(metrics) as Record<string, FlinkMetricAggregate>
}

/** Values of metrics by their names. Flink prints them all as text, gauges of any kind included. */
export function parseMetrics(answer: Answer): Record<string, string> {
  const metrics = answer.list((metric) => [metric.field('id').text(), metric.field('value').optional(text) ?? ''])
  return Object.fromEntries(metrics) as Record<string, string>
}

/** `/jobs/ID/savepoints/TRIGGER` */
export function parseSavepointStatus(answer: Answer): SavepointStatus {
  if (answer.field('status').field('id').text() !== 'COMPLETED') return { state: 'in progress' }
  const operation = answer.field('operation')
  const failure = operation.field('failure-cause')
  if (!failure.present) return { state: 'completed', location: operation.field('location').text() }
  const trace = failure.field('stack-trace').optional(text) ?? failure.field('class').text()
  return { state: 'failed', cause: rootCause(trace), trace }
}
