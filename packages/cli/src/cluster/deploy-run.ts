import {
  awaitRunOver,
  type BoundedRun,
  type BoundedRunResult,
  KafkaAdministration,
  parseRangeEdge,
  recordCountMaxOf,
  resolveRange,
  runOutputs,
  startBoundedRun,
  type TopicOptions,
  topicDefinitions,
  topicsWithRecords,
} from '@millwright/cluster'
import { ConfigurationError, outputTopics } from '@millwright/core'
import type { KafkaConnection } from '@millwright/gateways/kafka'
import { formatCount } from '../terminal/progress.ts'
import { type CopyFlags, copiesOf, ensureTopics } from './ensure-topics.ts'

/** What of `deploy`'s flags is for a bounded run. */
export interface RunFlags extends CopyFlags {
  readonly from?: string
  readonly until?: string
  readonly outputPrefix?: string
  readonly wait?: true
}

/** Stands before the topics of a run unless another is given: what it writes never mixes with what the plant's job writes. */
const outputPrefixDefault = 'backfill-'

/**
 * Starts the project over a range of its topics, and waits for its end where asked to.
 *
 * @throws {ConfigurationError} When the range or the topics it would write to are not right. @throws {JobFailedError} And what Kafka's and
 *   Flink's clients throw.
 */
export async function deployRun(
  run: Omit<BoundedRun, 'ranges' | 'outputPrefix'>,
  kafka: KafkaConnection,
  flags: RunFlags,
): Promise<BoundedRunResult & { readonly recordsMax: number; readonly seconds: number }> {
  const { from = 'earliest', until = 'latest', outputPrefix = outputPrefixDefault, wait } = flags
  const edges = { from: parseRangeEdge('--from', from), until: parseRangeEdge('--until', until) }
  const outputs = runOutputs(outputPrefix)
  const ranges = await resolveRange(kafka, ['sensor-data', 'device-events'], edges)
  for (const { topic, partition, from: first, until: end } of ranges)
    run.onStep(`${topic} ${partition}: offsets ${formatCount(first)} to ${formatCount(end)}`)
  await ensureOutputs(kafka, outputPrefix, copiesOf(flags), run)
  if (outputPrefix !== '') await refuseUsed(kafka, outputs)
  const startedMs = performance.now()
  const result = await startBoundedRun({ ...run, ranges, outputPrefix })
  if (wait) await awaitRunOver(run, result.jobId)
  return { ...result, recordsMax: recordCountMaxOf(ranges), seconds: (performance.now() - startedMs) / 1000 }
}

async function ensureOutputs(
  kafka: KafkaConnection,
  prefix: string,
  copies: Pick<TopicOptions, 'replicationFactor' | 'minInSyncReplicas'>,
  { plan, onStep }: Pick<BoundedRun, 'plan' | 'onStep'>,
): Promise<void> {
  const wanted = new Set<string>(outputTopics.map((topic) => prefix + topic))
  const definitions = topicDefinitions({ partitionCount: plan.partitionCount, prefix, ...copies })
  const administration = new KafkaAdministration(kafka)
  try {
    await ensureTopics(
      administration,
      definitions.filter(({ name }) => wanted.has(name)),
      onStep,
    )
  } finally {
    await administration.close()
  }
}

/** What two runs wrote could not be told apart. */
async function refuseUsed(kafka: KafkaConnection, topics: readonly string[]): Promise<void> {
  const [used] = await topicsWithRecords(kafka, topics)
  if (used === undefined) return
  throw new ConfigurationError('The run cannot be started.', [
    {
      field: '--output-prefix',
      found: `topics that another run wrote to (${used})`,
      wanted: 'another prefix, or those topics removed first',
    },
  ])
}
