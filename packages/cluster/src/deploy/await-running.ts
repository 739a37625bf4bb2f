import { setTimeout as delay } from 'node:timers/promises'
import { MillwrightError } from '@millwright/core'
import type { FlinkClient } from '../flink/flink-client.ts'

/** A job was given to Flink and does not run. */
export class JobFailedError extends MillwrightError {
  readonly code = 'JOB_FAILED'
  readonly retry = 'never'
}

const pollMs = 500
/** Slots may have to be given back by the job before, and V8 and state be loaded. */
export const startMsMax = 3 * 60_000

/**
 * Waits until every subtask of a job runs.
 *
 * @throws {JobFailedError} With the root cause, as soon as the job fails once; or when it does not run in time.
 */
export async function awaitRunning(flink: FlinkClient, jobId: string, waitMsMax: number = startMsMax): Promise<void> {
  for (const deadlineMs = performance.now() + waitMsMax; ; await delay(pollMs)) {
    const { state, vertices } = await flink.job(jobId)
    const [failure] = await flink.exceptions(jobId, 1)
    if (failure !== undefined || state === 'FAILED' || state === 'CANCELED')
      throw new JobFailedError(`The job does not run: ${failure?.cause ?? `it is ${state}`}`, { details: { jobId } })
    const runs = vertices.every(({ parallelism, subtasks }) => {
      return (subtasks['RUNNING'] ?? 0) + (subtasks['FINISHED'] ?? 0) === parallelism
    })
    if (state === 'FINISHED' || (state === 'RUNNING' && vertices.length > 0 && runs)) return
    if (performance.now() > deadlineMs)
      throw new JobFailedError(
        `The job did not run within ${Math.round(waitMsMax / 1000)} s: it is ${state}. Are there enough free slots?`,
        { details: { jobId } },
      )
  }
}

/** Waits until a job is over, however it ended. */
export async function awaitOver(flink: FlinkClient, jobId: string, waitMsMax: number = startMsMax): Promise<void> {
  for (const deadlineMs = performance.now() + waitMsMax; ; await delay(pollMs)) {
    const { state } = await flink.job(jobId)
    if (['FAILED', 'CANCELED', 'FINISHED'].includes(state)) return
    if (performance.now() > deadlineMs)
      throw new JobFailedError(`The job did not end within ${Math.round(waitMsMax / 1000)} s: it is ${state}.`, {
        details: { jobId },
      })
  }
}
