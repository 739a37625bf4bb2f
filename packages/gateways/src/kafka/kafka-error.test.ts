import { AuthenticationError, MultipleErrors, NetworkError, ProtocolError, UserError } from '@platformatic/kafka'
import { expect, test } from 'vitest'
import { KafkaAuthenticationError, KafkaRefusedError, KafkaUnreachableError } from './errors.ts'
import { kafkaError, protocolErrorName } from './kafka-error.ts'

const wrapped = (error: Error): Error => new MultipleErrors('Cannot do it.', [new Error('other'), error])

test('kafkaError() tells who is not let in, what is refused, and who is not there', () => {
  const untrusted = Object.assign(new Error('self-signed certificate'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' })
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  expect(kafkaError('x', wrapped(new AuthenticationError('SASL authentication failed.')))).toBeInstanceOf(
    KafkaAuthenticationError,
  )
  expect(kafkaError('x', wrapped(new NetworkError('no', { cause: untrusted })))).toBeInstanceOf(
    KafkaAuthenticationError,
  )
  expect(kafkaError('x', wrapped(new UserError('Broker requires TLS.')))).toBeInstanceOf(KafkaAuthenticationError)
  expect(kafkaError('x', wrapped(new NetworkError('no', { cause: refused })))).toBeInstanceOf(KafkaUnreachableError)
  const error = kafkaError('make the topics', wrapped(new ProtocolError('POLICY_VIOLATION')))
  expect(error).toBeInstanceOf(KafkaRefusedError)
  expect(error.details['kafkaError']).toBe('POLICY_VIOLATION')
  expect(error.message).toMatch(/^Cannot make the topics: /)
})

test('protocolErrorName() is null where Kafka did not answer', () => {
  expect(protocolErrorName(wrapped(new NetworkError('no')))).toBeNull()
  expect(protocolErrorName('no error at all')).toBeNull()
})

test('protocolErrorName() names a topic that the client looked up in vain as Kafka does', () => {
  expect(protocolErrorName(wrapped(new UserError('Unknown topic sensor-data.')))).toBe('UNKNOWN_TOPIC_OR_PARTITION')
})
