import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError } from '@millwright/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { kafkaConnectionOf } from './connection-settings.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-kafka-'))
  writeFileSync(join(folder, 'password'), 'kept to itself\n')
  writeFileSync(join(folder, 'ca.pem'), 'PEM')
})
afterAll(() => rmSync(folder, { recursive: true }))

const problemsOf = (...of: Parameters<typeof kafkaConnectionOf>): string => {
  try {
    kafkaConnectionOf(...of)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError)
    return (error as ConfigurationError).message
  }
  throw new Error('nothing was refused')
}

test('kafkaConnectionOf() is nothing where --kafka is not given, whatever the environment says', () => {
  expect(kafkaConnectionOf({}, { MILLWRIGHT_KAFKA: 'a:1' })).toBeNull()
})

test('kafkaConnectionOf() takes servers in the clear', () => {
  expect(kafkaConnectionOf({ kafka: 'a:9092, [::1]:9093' }, {})).toEqual({ bootstrapServers: ['a:9092', '[::1]:9093'] })
})

test('kafkaConnectionOf() takes a login and an authority from files, and TLS with them', () => {
  const flags = {
    kafka: 'a:1',
    kafkaUser: 'plant',
    kafkaPasswordFile: join(folder, 'password'),
    kafkaCa: join(folder, 'ca.pem'),
  }
  expect(kafkaConnectionOf(flags, {})).toEqual({
    bootstrapServers: ['a:1'],
    tls: { authority: 'PEM' },
    sasl: { mechanism: 'SCRAM-SHA-512', username: 'plant', password: 'kept to itself' },
  })
})

test('kafkaConnectionOf() takes all of it from the environment; a flag goes before', () => {
  const environment = {
    MILLWRIGHT_KAFKA: 'a:1,b:2',
    MILLWRIGHT_KAFKA_USER: 'plant',
    MILLWRIGHT_KAFKA_PASSWORD: 'secret',
    MILLWRIGHT_KAFKA_MECHANISM: 'SCRAM-SHA-256',
  }
  expect(kafkaConnectionOf({ kafka: 'env', kafkaUser: 'other' }, environment)).toEqual({
    bootstrapServers: ['a:1', 'b:2'],
    sasl: { mechanism: 'SCRAM-SHA-256', username: 'other', password: 'secret' },
  })
})

test('kafkaConnectionOf() names every problem, and no secret', () => {
  const message = problemsOf(
    {
      kafka: 'user:secret@host',
      kafkaMechanism: 'GUESS',
      kafkaCa: join(folder, 'none.pem'),
      kafkaKey: join(folder, 'ca.pem'),
    },
    { MILLWRIGHT_KAFKA_PASSWORD: 'secret' },
  )
  for (const field of ['--kafka:', '--kafka-mechanism', '--kafka-user', '--kafka-ca', '--kafka-cert'])
    expect(message).toContain(field)
  expect(message).not.toContain('secret')
  expect(problemsOf({ kafka: 'a:1', kafkaUser: 'plant' }, {})).toContain('--kafka-password-file')
  for (const kafka of ['', 'host', 'host:0', 'host:70000', 'a:1,', 'a:1 b:2']) problemsOf({ kafka }, {})
})
