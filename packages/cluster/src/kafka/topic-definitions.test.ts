import { topicNames } from '@millwright/core'
import { expect, test } from 'vitest'
import { activationKey, packagePartKey } from './model-update-key.ts'
import { topicDefinitions } from './topic-definitions.ts'
import { compareTopic, differenceText } from './topic-report.ts'

test('topicDefinitions() has every topic once, on append time, with three partitions and two copies', () => {
  const definitions = topicDefinitions()
  expect(definitions.map(({ name }) => name)).toEqual([...topicNames])
  for (const { name, partitionCount, replicationFactor, settings } of definitions) {
    expect(partitionCount).toBe(name === 'model-updates' ? 1 : 3)
    expect(replicationFactor).toBe(2)
    // Retention by a producer's own times would remove replayed history at once.
    expect(settings['message.timestamp.type']).toBe('LogAppendTime')
  }
})

test('topicDefinitions() compacts model updates alone and gives them no retention by age', () => {
  const compacted = topicDefinitions().filter(({ settings }) => settings['cleanup.policy'] === 'compact')
  expect(compacted.map(({ name }) => name)).toEqual(['model-updates'])
  expect(compacted[0]?.settings).not.toHaveProperty('retention.ms')
})

test('a part of a package replaces itself and nothing else; an activation replaces nothing', () => {
  const keys = [
    packagePartKey('failure', '1', 0),
    packagePartKey('failure', '1', 1),
    packagePartKey('failure', '2', 0),
    // Names and versions may hold anything: no two pairs run together.
    packagePartKey('failure","1', '0', 0),
    activationKey('failure', 'a'),
    activationKey('failure', 'b'),
  ]
  expect(new Set(keys).size).toBe(keys.length)
  expect(packagePartKey('failure', '1', 0)).toBe(keys[0])
})

test('compareTopic() names each thing that differs, with what was found and what is wanted', () => {
  const [definition] = topicDefinitions({ prefix: 'plant-2.' })
  if (definition === undefined) throw new Error('there is a first topic')
  const { partitionCount, replicationFactor, settings } = definition
  expect(compareTopic(definition, { partitionCount, replicationFactor, settings })).toEqual([])
  const found = {
    partitionCount: 6,
    replicationFactor: 1,
    settings: { ...settings, 'message.timestamp.type': 'CreateTime', 'another.setting': 'x' },
  }
  expect(compareTopic(definition, found).map(differenceText)).toEqual([
    'plant-2.sensor-data: partitions is 6, wanted 3',
    'plant-2.sensor-data: replication factor is 1, wanted 2',
    'plant-2.sensor-data: message.timestamp.type is CreateTime, wanted LogAppendTime',
  ])
})
