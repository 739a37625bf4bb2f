import { ConfigurationError } from '@millwright/core'
import type { FlinkClient } from '../flink/flink-client.ts'
import { awaitOver } from './await-running.ts'
import { parallelismOf, startJob, stop } from './deploy.ts'
import { jobConfiguration } from './job-configuration.ts'
import { findRunningJob, jarOf, type RunningJob } from './job-parameters.ts'

/** A job that is to be changed, by the name of its plan. */
export interface JobCommand {
  readonly flink: FlinkClient
  readonly name: string
  readonly onStep: (text: string) => void
}

/**
 * Gives a job another number of subtasks: stops it with a savepoint and starts the same jar from it.
 *
 * @throws {ConfigurationError} When no job of this name runs, its jar is gone, or Flink keeps no state. @throws {JobFailedError} When it does not come up again.
 */
export async function scale(
  { flink, name, onStep }: JobCommand,
  parallelism: number,
): Promise<{ jobId: string; savepoint: string; parallelismBefore: number }> {
  const running = await wanted(flink, name)
  const configuration = jobConfiguration(await flink.configuration())
  const { jarId, args } = await jarOf(running, flink)
  const parallelismBefore = await parallelismOf(running, flink)
  const savepoint = await stop(running, flink, onStep)
  const start = { args, configuration, savepointPath: savepoint }
  onStep(`Starting ${name} with parallelism ${parallelism} from ${savepoint}`)
  try {
    const jobId = await startJob(flink, jarId, { ...start, parallelism })
    return { jobId, savepoint, parallelismBefore }
  } catch (error) {
    onStep(`It does not run with ${parallelism}; starting it with ${parallelismBefore} again`)
    await startJob(flink, jarId, { ...start, parallelism: parallelismBefore })
    throw error
  }
}

/** Ends a job; with a savepoint from which `deploy --savepoint` goes on, unless told not to. @throws {ConfigurationError} When none runs. */
export async function cancel(
  { flink, name, onStep }: JobCommand,
  withSavepoint: boolean,
): Promise<{ jobId: string; savepoint: string | null }> {
  const running = await wanted(flink, name)
  const jobId = running.job.id
  if (withSavepoint) return { jobId, savepoint: await stop(running, flink, onStep) }
  onStep(`Cancelling job ${jobId}`)
  await flink.cancel(jobId)
  await awaitOver(flink, jobId)
  return { jobId, savepoint: null }
}

async function wanted(flink: FlinkClient, name: string): Promise<RunningJob> {
  const running = await findRunningJob(flink, name)
  if (running !== null) return running
  throw new ConfigurationError('There is nothing to change.', [
    {
      field: 'project',
      found: `no job named "${name}" on this Flink`,
      wanted: 'one that runs: millwright deploy starts it',
    },
  ])
}
