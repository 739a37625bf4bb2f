import { readFileSync } from 'node:fs'
import { ConfigurationError, type Plan } from '@millwright/core'
import { compareStateShapes, type StateShape, stateShape } from '@millwright/operators'
import { bundleGuest } from '../bundle/bundle-guest.ts'
import { describeJob } from '../bundle/job-description.ts'
import type { FlinkClient } from '../flink/flink-client.ts'
import type { FlinkCheckpoints } from '../flink/flink-types.ts'
import { awaitRunning, JobFailedError } from './await-running.ts'
import { hostJar } from './host-jar.ts'
import { type FlinkSettings, jobConfiguration } from './job-configuration.ts'
import {
  findEndedJob,
  findRunningJob,
  type JobParameters,
  jarOf,
  parameterArguments,
  type RunningJob,
} from './job-parameters.ts'
import { packJob } from './pack-job.ts'
import { temporaryFile } from './temporary-file.ts'

/** What is to run, and where. */
export interface Deployment {
  readonly plan: Plan
  /** The project's `millwright.config.ts`, absolute. */
  readonly configPath: string
  readonly release: string
  readonly flink: FlinkClient
  /** As the task managers reach them. */
  readonly bootstrapServers: readonly string[]
  /** File of Kafka client properties on every machine of Flink; where Kafka wants a login. */
  readonly kafkaProperties?: string
  /**
   * Milliseconds after which Kafka takes back a transaction that the job left open and did not come back to; until then readers of
   * committed records wait behind it. A job that is away longer loses what it had not committed. Left out: the host's 10 minutes.
   */
  readonly transactionTimeoutMs?: number
  /** Subtasks. Left out: those of the job that runs, else the partitions of `sensor-data`, since more would have nothing to read. */
  readonly parallelism?: number
  /** Where no job runs: a savepoint to start from. */
  readonly savepoint?: string
  /** Begins without the state of the job that runs, at the oldest record: windows that it has given come again. */
  readonly withoutState?: boolean
  /** Finds the topics that hold results of an earlier job: Flink forgets a job that ended after an hour, or with its JobManager. */
  readonly findResults: () => Promise<readonly string[]>
  /** Told of each step before it is taken. */
  readonly onStep: (text: string) => void
}

export interface DeployResult {
  readonly jobId: string
  readonly digest: string
  readonly parallelism: number
  readonly outcome: 'started' | 'replaced' | 'unchanged'
  /** Where the state of the job before is; `null` where there was none. */
  readonly savepoint: string | null
  /** What the change means for results, for a person. */
  readonly notes: readonly string[]
}

/** Kept of earlier deployments: state that no record has touched since is of that long ago. */
const earlierShapesMax = 32

/**
 * Bundles a project, and puts it in the place of the job of its name. Everything that can be refused is refused while the old job runs. When the
 * new one does not come up, the old one is started again where it stopped.
 *
 * @throws {ConfigurationError} When the project cannot run in Flink, Flink keeps no state, or that of the job before cannot serve or is not named.
 * @throws {JobFailedError} When the new job does not run; says whether the old one does again. And what `hostJar` and Flink's client throw.
 */
export async function deploy(deployment: Deployment): Promise<DeployResult> {
  const { flink, plan, configPath, release, onStep, withoutState = false } = deployment
  const configuration = jobConfiguration(await flink.configuration())
  const before = await findRunningJob(flink, plan.name)
  const change = withoutState ? { earlier: [], notes: [] } : changeOf(await jobOfState(deployment, before), plan)
  onStep(`Bundling ${configPath}`)
  const guest = await bundleGuest(configPath, { shape: stateShape(plan), earlierShapes: change.earlier })
  const packed = packJob(readFileSync(await hostJar(onStep)), guest, describeJob(plan))
  const shapes = [stateShape(plan), ...change.earlier]
  const parameters: JobParameters = {
    digest: packed.digest,
    release,
    stateShapes: JSON.stringify(shapes),
    arguments: JSON.stringify(connectionArguments(deployment)),
  }
  const parallelism =
    deployment.parallelism ?? (before === null ? plan.partitionCount : await parallelismOf(before, flink))
  if (
    before !== null &&
    !withoutState &&
    isSame(before, parameters) &&
    (await parallelismOf(before, flink)) === parallelism
  )
    return {
      jobId: before.job.id,
      digest: packed.digest,
      parallelism,
      outcome: 'unchanged',
      savepoint: null,
      notes: ['the same project runs already, from the same release and with the same settings'],
    }

  const jarId = await temporaryFile(`millwright-${plan.name}-${packed.digest}.jar`, packed.jar, async (path) => {
    onStep(`Uploading ${(packed.jar.length / 1e6).toFixed(1)} MB to Flink`)
    return await flink.uploadJar(path)
  })
  const args = [...connectionArguments(deployment), ...parameterArguments(parameters)]
  const savepoint = before === null ? (deployment.savepoint ?? null) : await stop(before, flink, onStep)
  const start = {
    args,
    parallelism,
    configuration,
    ...(savepoint === null || withoutState ? {} : { savepointPath: savepoint }),
  }
  onStep(`Starting ${plan.name} with parallelism ${parallelism}${savepoint === null ? '' : ` from ${savepoint}`}`)
  try {
    const jobId = await startJob(flink, jarId, start)
    return {
      jobId,
      digest: packed.digest,
      parallelism,
      outcome: before === null ? 'started' : 'replaced',
      savepoint,
      notes: change.notes,
    }
  } catch (error) {
    if (before === null || savepoint === null) throw error
    throw await bringBack(before, { savepointPath: savepoint, configuration }, deployment, error)
  }
}

/** Starts a job and waits until it runs; one that does not is cancelled. @throws {JobFailedError} */
export async function startJob(
  flink: FlinkClient,
  jarId: string,
  options: {
    readonly args: readonly string[]
    readonly parallelism: number
    /** As `jobConfiguration` gives it. */
    readonly configuration: FlinkSettings
    readonly savepointPath?: string
  },
): Promise<string> {
  const jobId = await flink.runJar(jarId, options)
  try {
    await awaitRunning(flink, jobId)
  } catch (error) {
    await flink.cancel(jobId).catch(() => undefined)
    throw error
  }
  return jobId
}

/** Stops a job with a savepoint; returns where that is. */
export async function stop({ job }: RunningJob, flink: FlinkClient, onStep: (text: string) => void): Promise<string> {
  onStep(`Stopping job ${job.id} with a savepoint`)
  return await flink.stopWithSavepoint(job.id)
}

/**
 * The job whose state the new one begins with; `null` where it begins with none, or where Flink does not know the job any more.
 *
 * @throws {ConfigurationError} When it would begin with none though a job has given results: they would come again.
 */
async function jobOfState(
  { flink, plan, savepoint, findResults }: Deployment,
  before: RunningJob | null,
): Promise<RunningJob | null> {
  if (before !== null) return before
  const ended = await findEndedJob(flink, plan.name)
  if (savepoint !== undefined) return ended
  if (ended !== null) {
    const kept = newestKept(await flink.checkpoints(ended.job.id))
    throw beginsAnew(`job ${ended.job.id} of this name has ended`, kept)
  }
  const topics = await findResults()
  if (topics.length === 0) return null
  throw beginsAnew(`${topics.join(' and ')} hold results of a job that this Flink does not know, or not any more`, null)
}

function beginsAnew(why: string, savepoint: string | null): ConfigurationError {
  const from = savepoint ?? 'PATH, of its savepoint (cancel printed it) or of a checkpoint that Flink retained,'
  return new ConfigurationError('The job would begin anew, and give every window again.', [
    {
      field: '--savepoint',
      found: `nothing, though ${why}`,
      wanted: `${from} to go on from there, or --without-state to begin anew`,
    },
  ])
}

/** Where the newest state of a job is that Flink has not removed; `null` where it tells of none. */
function newestKept({ latestCompleted, latestSavepoint }: FlinkCheckpoints): string | null {
  const kept = [latestCompleted, latestSavepoint].filter((each) => each !== null && each.path !== null && each.kept)
  return kept.sort((a, b) => (b?.id ?? 0) - (a?.id ?? 0))[0]?.path ?? null
}

/** The shapes whose state the new job must read, and what that means. @throws {ConfigurationError} When it cannot. */
function changeOf(before: RunningJob | null, plan: Plan): { earlier: readonly StateShape[]; notes: readonly string[] } {
  if (before === null) return { earlier: [], notes: [] }
  const { parameters, job } = before
  if (parameters === null)
    throw new ConfigurationError('The project cannot be deployed; the job that runs goes on.', [
      {
        field: 'name',
        found: `job ${job.id} of this name, which millwright did not deploy`,
        wanted: 'no job of this name, or one whose state is known: cancel it, or give the plan another name',
      },
    ])
  const own = stateShape(plan)
  const known = JSON.parse(parameters.stateShapes) as StateShape[]
  const earlier = known.filter((shape) => JSON.stringify(shape) !== JSON.stringify(own))
  const changes = earlier.map((shape) => compareStateShapes(shape, own))
  const problems = new Map(
    changes.flatMap(({ problems: found }) => found.map((problem) => [JSON.stringify(problem), problem])),
  )
  if (problems.size > 0)
    throw new ConfigurationError(
      'The state of the job that runs cannot serve this project; the job goes on. To begin without it: --without-state.',
      [...problems.values()],
    )
  return { earlier: earlier.slice(0, earlierShapesMax), notes: [...new Set(changes.flatMap((change) => change.notes))] }
}

function isSame({ parameters, job }: RunningJob, wanted: JobParameters): boolean {
  return (
    job.state === 'RUNNING' &&
    parameters !== null &&
    parameters.digest === wanted.digest &&
    parameters.arguments === wanted.arguments &&
    parameters.release === wanted.release
  )
}

/** Subtasks of the running job's widest vertex. */
export async function parallelismOf({ job }: RunningJob, flink: FlinkClient): Promise<number> {
  const { vertices } = await flink.job(job.id)
  return Math.max(1, ...vertices.map((vertex) => vertex.parallelism))
}

/** How the job reaches Kafka, as arguments: no secret is among them. */
export function connectionArguments({
  bootstrapServers,
  kafkaProperties,
  transactionTimeoutMs,
}: Pick<Deployment, 'bootstrapServers' | 'kafkaProperties' | 'transactionTimeoutMs'>): string[] {
  return [
    '--kafka',
    bootstrapServers.join(','),
    ...(kafkaProperties === undefined ? [] : ['--kafka-properties', kafkaProperties]),
    ...(transactionTimeoutMs === undefined ? [] : ['--transaction-timeout-ms', String(transactionTimeoutMs)]),
  ]
}

/** Starts the job from before again, where it stopped; returns the error to throw. */
async function bringBack(
  before: RunningJob,
  from: { readonly savepointPath: string; readonly configuration: FlinkSettings },
  { flink, onStep }: Deployment,
  failure: unknown,
): Promise<JobFailedError> {
  const message = failure instanceof Error ? failure.message : String(failure)
  onStep(`The new job does not run (${message}). Starting the one from before again`)
  try {
    const { jarId, args } = await jarOf(before, flink)
    const parallelism = await parallelismOf(before, flink)
    const jobId = await startJob(flink, jarId, { args, parallelism, ...from })
    return new JobFailedError(`${message}\nThe job from before runs again, where it stopped, as ${jobId}.`, {
      details: { jobId },
      cause: failure,
    })
  } catch (error) {
    return new JobFailedError(
      `${message}\nThe job from before could not be started again either: ${error instanceof Error ? error.message : error}. Its state is in ${from.savepointPath}.`,
      { details: { savepoint: from.savepointPath }, cause: failure },
    )
  }
}
