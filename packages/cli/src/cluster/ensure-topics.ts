import { differenceText, type KafkaAdministration, type TopicDefinition, type TopicOptions } from '@millwright/cluster'
import { ConfigurationError } from '@millwright/core'
import { protocolErrorName } from '@millwright/gateways/kafka'
import { wholeNumber } from '../terminal/arguments.ts'

/** How many copies of each partition a topic that is made gets, and how many must have a record before it is acknowledged. */
export interface CopyFlags {
  readonly replication?: string
  readonly minInSync?: string
}

/** As many copies as topics are made with where nobody says. */
const replicationDefault = 2
/** More brokers than that hold one partition nowhere. */
const copiesMax = 16

/**
 * The copies that the flags ask for.
 *
 * @throws {ConfigurationError} When one is no whole number from 1 to 16; when more must be in sync than there are copies, which no record could
 *   ever be written to.
 */
export function copiesOf(flags: CopyFlags): Pick<TopicOptions, 'replicationFactor' | 'minInSyncReplicas'> {
  const replicationFactor = given('--replication', flags.replication)
  const minInSyncReplicas = given('--min-in-sync', flags.minInSync)
  const copies = replicationFactor ?? replicationDefault
  if (minInSyncReplicas !== undefined && minInSyncReplicas > copies)
    throw new ConfigurationError('The topics cannot be made.', [
      {
        field: '--min-in-sync',
        found: `${minInSyncReplicas}, of ${copies} ${copies === 1 ? 'copy' : 'copies'}`,
        wanted: 'at most as many as --replication',
      },
    ])
  return {
    ...(replicationFactor === undefined ? {} : { replicationFactor }),
    ...(minInSyncReplicas === undefined ? {} : { minInSyncReplicas }),
  }
}

/**
 * Makes the topics that are missing; what is there is left as it is, and what differs is said.
 *
 * @throws {ConfigurationError} When there are fewer brokers than copies asked for. And as `KafkaAdministration.ensureTopics`.
 */
export async function ensureTopics(
  kafka: Pick<KafkaAdministration, 'ensureTopics'>,
  definitions: readonly TopicDefinition[],
  onStep: (text: string) => void,
): Promise<void> {
  try {
    const { created, differences } = await kafka.ensureTopics(definitions)
    if (created.length > 0) onStep(`Made ${created.join(', ')}`)
    for (const difference of differences) onStep(`Note: ${differenceText(difference)}`)
  } catch (error) {
    if (protocolErrorName(error) !== 'INVALID_REPLICATION_FACTOR') throw error
    const copies = Math.max(...definitions.map(({ replicationFactor }) => replicationFactor))
    throw new ConfigurationError(
      'The topics cannot be made.',
      [
        {
          field: '--replication',
          found: `${copies} copies of each partition, and fewer brokers than that`,
          wanted: 'at most as many as there are brokers; on a single one --replication 1',
        },
      ],
      error,
    )
  }
}

function given(flag: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : wholeNumber(flag, text, 1, copiesMax)
}
