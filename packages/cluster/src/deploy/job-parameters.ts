import { ConfigurationError } from '@millwright/core'
import type { FlinkClient } from '../flink/flink-client.ts'
import type { FlinkJob, FlinkJobState } from '../flink/flink-types.ts'

/**
 * What a job of ours says of itself in Flink (its "user configuration"), so that whoever deploys next, from wherever, knows what runs.
 * They are read by anyone who may look at Flink's page: no secrets.
 */
export interface JobParameters {
  /** Of the packed job; see `packJob`. */
  readonly digest: string
  /** Of the release that deployed it. */
  readonly release: string
  /** What its state may hold: JSON of state shapes, the job's own first, then those of earlier deployments. */
  readonly stateShapes: string
  /** Arguments of the job, as JSON, to start it again as it was. */
  readonly arguments: string
}

const prefix = 'millwright.'

/** A job of ours, and what it says of itself. */
export interface RunningJob {
  readonly job: FlinkJob
  /** `null` for one that says nothing of itself: started by hand, or by somebody else under this name. */
  readonly parameters: JobParameters | null
}

/** Names of arguments as the host takes them: each becomes an entry of Flink's user configuration. */
export function parameterArguments(parameters: JobParameters): string[] {
  return Object.entries(parameters).flatMap(([name, value]) => [`--${prefix}${name}`, value as string])
}

/** Finds the job of a plan that has not ended; `null` when there is none. Of several, which only a hand can have started, the newest. */
export async function findRunningJob(flink: FlinkClient, name: string): Promise<RunningJob | null> {
  return findJob(flink, name, (state) => !over.has(state))
}

/** Finds the newest job of a plan that has ended, among those that Flink remembers. */
export async function findEndedJob(flink: FlinkClient, name: string): Promise<RunningJob | null> {
  return findJob(flink, name, (state) => over.has(state))
}

const over: ReadonlySet<FlinkJobState> = new Set(['FAILED', 'CANCELED', 'FINISHED'])

async function findJob(
  flink: FlinkClient,
  name: string,
  isWanted: (state: FlinkJobState) => boolean,
): Promise<RunningJob | null> {
  const jobs = (await flink.listJobs()).filter((job) => job.name === name && isWanted(job.state))
  const job = jobs.sort((a, b) => b.startedAtMs - a.startedAtMs)[0]
  if (job === undefined) return null
  const given = await flink.jobParameters(job.id)
  const read = (field: keyof JobParameters): string | undefined => given[`${prefix}${field}`]
  const [digest, release, stateShapes, args] = [read('digest'), read('release'), read('stateShapes'), read('arguments')]
  const known = digest !== undefined && release !== undefined && stateShapes !== undefined && args !== undefined
  return { job, parameters: known ? { digest, release, stateShapes, arguments: args } : null }
}

/**
 * Returns the jar that a job runs from, and the arguments to start it with again.
 *
 * @throws {ConfigurationError} When the job was not deployed by millwright, or its jar is not on Flink any more.
 */
export async function jarOf(
  { job, parameters }: RunningJob,
  flink: FlinkClient,
): Promise<{ readonly jarId: string; readonly args: readonly string[] }> {
  const jars = await flink.listJars()
  const jar = parameters === null ? undefined : jars.find(({ name }) => name.endsWith(`-${parameters.digest}.jar`))
  if (jar === undefined || parameters === null)
    throw new ConfigurationError('The job cannot be started again as it is.', [
      {
        field: 'job',
        found: parameters === null ? `${job.id}, which millwright did not deploy` : `${job.id}, whose jar is gone`,
        wanted: 'a job that was deployed from here: millwright deploy puts its jar there again',
      },
    ])
  return { jarId: jar.id, args: [...(JSON.parse(parameters.arguments) as string[]), ...parameterArguments(parameters)] }
}
