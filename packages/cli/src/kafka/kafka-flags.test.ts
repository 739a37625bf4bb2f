import { ConfigurationError } from '@millwright/core'
import { expect, test } from 'vitest'
import { connectionOf } from './kafka-flags.ts'

test('connectionOf() asks for nothing where no flag of Kafka is given, whatever else is', async () => {
  expect(await connectionOf({}, { '--data': 'data' })).toBeNull()
})

test('connectionOf() connects to the servers that are named', async () => {
  expect(await connectionOf({ kafka: '127.0.0.1:9092' }, { '--data': undefined })).toEqual({
    bootstrapServers: ['127.0.0.1:9092'],
  })
})

test('connectionOf() refuses a flag of Kafka without --kafka, and what means nothing beside it, by name', async () => {
  await expect(connectionOf({ kafkaUser: 'plant' })).rejects.toThrow(/--kafka: found nothing/)
  const both = connectionOf({ kafka: '127.0.0.1:9092' }, { '--data': 'data', '--workers': '2' })
  await expect(both).rejects.toThrow(ConfigurationError)
  await expect(both).rejects.toThrow(/--data: found data, beside --kafka[\s\S]*--workers/)
})
