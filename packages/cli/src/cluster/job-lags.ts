import type { JobStatus } from '@millwright/cluster'
import type { KafkaConnection, PartitionLag } from '@millwright/gateways/kafka'
import { operatorsGroup, operatorsInputs } from '../kafka/operators-group.ts'

/**
 * Asks Kafka how far a job is behind the end of each partition that it reads.
 *
 * @param isPlants Whether the job is the plant's own: only that one leaves its places under the group that is known.
 * @throws {KafkaTopicMissingError | KafkaUnreachableError | KafkaAuthenticationError | KafkaRefusedError}
 */
export async function jobLags(
  connection: KafkaConnection,
  { positions }: Pick<JobStatus, 'positions'>,
  isPlants: boolean,
): Promise<PartitionLag[]> {
  // The client is loaded only where it is asked for.
  const { TopicsLink, laneOf, partitionLags } = await import('@millwright/gateways/kafka')
  const link = await TopicsLink.open(connection, operatorsInputs)
  try {
    // Flink says −1 of a partition of which nothing has come since the job, or its last restart, began.
    const known = positions.filter(({ offset }) => offset >= 0)
    const nextOffsets = new Map(known.map((position) => [laneOf(position), position.offset + 1]))
    return await partitionLags(link, isPlants ? operatorsGroup : null, nextOffsets)
  } finally {
    await link.close()
  }
}
