import { readFileSync } from 'node:fs'
import { ConfigurationError, outputTopics } from '@millwright/core'
import { stateShape } from '@millwright/operators'
import { bundleGuest } from '../bundle/bundle-guest.ts'
import { describeJob } from '../bundle/job-description.ts'
import { offsetsText, type PartitionRange } from '../kafka/topic-range.ts'
import { awaitOver, JobFailedError } from './await-running.ts'
import { connectionArguments, type Deployment, startJob } from './deploy.ts'
import { hostJar } from './host-jar.ts'
import { jobConfiguration } from './job-configuration.ts'
import { findRunningJob, parameterArguments } from './job-parameters.ts'
import { packJob } from './pack-job.ts'
import { temporaryFile } from './temporary-file.ts'

/** A project over a range of its topics' history, beside the job that runs. */
export interface BoundedRun extends Omit<Deployment, 'savepoint' | 'withoutState' | 'findResults'> {
  readonly ranges: readonly PartitionRange[]
  /** Stands before the names of the topics that it writes; empty for the plant's own. */
  readonly outputPrefix: string
}

export interface BoundedRunResult {
  readonly jobId: string
  readonly jobName: string
  readonly digest: string
  readonly parallelism: number
  /** Topics that it writes. */
  readonly outputs: readonly string[]
}

/** Longest prefix of topics: Kafka's names have at most 249 characters. */
const prefixCharactersMax = 100

/** The name of a run's job: no other job's, so that neither its state nor its transactions are mistaken for those of the plant's own. */
export function runNameOf(planName: string, outputPrefix: string): string {
  const run = outputPrefix.replace(/[-_.]+$/, '')
  return `${planName}.${run === '' ? 'run' : run}`
}

/** Topics that a run writes, in the order of the plant's own. @throws {ConfigurationError} When Kafka cannot have topics of such names. */
export function runOutputs(outputPrefix: string): string[] {
  if (!/^[\w.-]*$/.test(outputPrefix) || outputPrefix.length > prefixCharactersMax)
    throw new ConfigurationError('The run cannot be started.', [
      {
        field: '--output-prefix',
        found: JSON.stringify(outputPrefix),
        wanted: `at most ${prefixCharactersMax} of a–z, A–Z, 0–9, ".", "_" and "-"`,
      },
    ])
  return outputTopics.map((topic) => outputPrefix + topic)
}

/**
 * Starts a run. It begins with no state, reads its ranges and the whole of `model-updates`, closes all windows at their end, and is over. Its job's
 * name, consumer group and transactional ids are its own.
 *
 * @throws {ConfigurationError} When such a run is under way, the project cannot run in Flink, or Flink keeps no state. @throws {JobFailedError} When it does not run.
 *   And what `hostJar` and Flink's client throw.
 */
export async function startBoundedRun(run: BoundedRun): Promise<BoundedRunResult> {
  const { flink, plan, configPath, release, onStep, outputPrefix, ranges } = run
  const outputs = runOutputs(outputPrefix)
  const jobName = runNameOf(plan.name, outputPrefix)
  const other = await findRunningJob(flink, jobName)
  if (other !== null)
    throw new ConfigurationError('The run cannot be started.', [
      {
        field: '--output-prefix',
        found: `${JSON.stringify(outputPrefix)}, with which job ${other.job.id} (${jobName}) runs`,
        wanted: 'another one, or that run to be over: millwright cancel --job NAME ends it',
      },
    ])
  const configuration = jobConfiguration(await flink.configuration())
  onStep(`Bundling ${configPath}`)
  const guest = await bundleGuest(configPath, { shape: stateShape(plan), earlierShapes: [] })
  const packed = packJob(readFileSync(await hostJar(onStep)), guest, { ...describeJob(plan), name: jobName })
  const runArguments = [
    ...connectionArguments(run),
    ...['--group', `millwright.${jobName}`, '--transactional-id', `millwright.${jobName}`],
    ...['--from', offsetsText(ranges, 'from'), '--until', offsetsText(ranges, 'until')],
    ...['--output-prefix', outputPrefix],
  ]
  const args = [
    ...runArguments,
    ...parameterArguments({
      digest: packed.digest,
      release,
      stateShapes: JSON.stringify([stateShape(plan)]),
      arguments: JSON.stringify(runArguments),
    }),
  ]
  const parallelism = run.parallelism ?? plan.partitionCount
  const jarId = await temporaryFile(`millwright-${jobName}-${packed.digest}.jar`, packed.jar, async (path) => {
    onStep(`Uploading ${(packed.jar.length / 1e6).toFixed(1)} MB to Flink`)
    return await flink.uploadJar(path)
  })
  onStep(`Starting ${jobName} with parallelism ${parallelism}`)
  const jobId = await startJob(flink, jarId, { args, parallelism, configuration })
  return { jobId, jobName, digest: packed.digest, parallelism, outputs }
}

/**
 * Waits until a run is over, however long that takes.
 *
 * @throws {JobFailedError} When it did not come to its end, with the root cause. And what Flink's client throws.
 */
export async function awaitRunOver({ flink }: Pick<BoundedRun, 'flink'>, jobId: string): Promise<void> {
  await awaitOver(flink, jobId, Number.POSITIVE_INFINITY)
  const { state } = await flink.job(jobId)
  if (state === 'FINISHED') return
  const [failure] = await flink.exceptions(jobId, 1)
  throw new JobFailedError(`The run did not come to its end: ${failure?.cause ?? `it is ${state}`}`, {
    details: { jobId },
  })
}
