import { topicDefinitions } from '@millwright/cluster'
import { ConfigurationError } from '@millwright/core'
import { KafkaRefusedError } from '@millwright/gateways/kafka'
import { expect, test } from 'vitest'
import { copiesOf, ensureTopics } from './ensure-topics.ts'

test('copiesOf() takes what is given and leaves the rest to the topics', () => {
  expect(copiesOf({})).toEqual({})
  expect(copiesOf({ replication: '1' })).toEqual({ replicationFactor: 1 })
  expect(copiesOf({ replication: '3', minInSync: '2' })).toEqual({ replicationFactor: 3, minInSyncReplicas: 2 })
})

test.each([
  [{ replication: '0' }, '--replication'],
  [{ replication: '2.5' }, '--replication'],
  [{ minInSync: '3' }, '--min-in-sync'],
  [{ replication: '1', minInSync: '2' }, '--min-in-sync'],
])('copiesOf() refuses %j', (flags, field) => {
  expect(() => copiesOf(flags)).toThrow(ConfigurationError)
  expect(() => copiesOf(flags)).toThrow(field)
})

/** A Kafka that answers the making of topics so. */
function refusing(apiId: string): { ensureTopics(): Promise<never> } {
  const cause = Object.assign(new Error('said by the broker'), { apiId })
  return { ensureTopics: async () => Promise.reject(new KafkaRefusedError('Cannot make the topics', { cause })) }
}

test('ensureTopics() says what to do where there are fewer brokers than copies, and nothing else of other refusals', async () => {
  const definitions = topicDefinitions({ replicationFactor: 3 })
  const made = (apiId: string): Promise<unknown> =>
    ensureTopics(refusing(apiId), definitions, () => undefined).catch((error: unknown) => error)
  const refusal = await made('INVALID_REPLICATION_FACTOR')
  expect(refusal).toBeInstanceOf(ConfigurationError)
  expect((refusal as Error).message).toMatch(/--replication: found 3 copies.*--replication 1/)
  expect(await made('POLICY_VIOLATION')).toBeInstanceOf(KafkaRefusedError)
})

test('ensureTopics() tells what it made and what differs', async () => {
  const [definition] = topicDefinitions()
  const difference = { topic: 'cases', setting: 'partitions', found: '1', wanted: '3' }
  const said: string[] = []
  await ensureTopics(
    { ensureTopics: async () => ({ created: ['sensor-data'], existing: ['cases'], differences: [difference] }) },
    definition === undefined ? [] : [definition],
    (text) => said.push(text),
  )
  expect(said).toEqual(['Made sensor-data', 'Note: cases: partitions is 1, wanted 3'])
})
