import { MillwrightError } from '@millwright/core'

/** Kafka does not answer, or refused: the message has its own words. */
export class KafkaUnreachableError extends MillwrightError {
  readonly code = 'KAFKA_UNREACHABLE'
  readonly retry = 'later'
}

/** Kafka answered, and did not do what was asked: no right, no such topic, a policy, too few brokers. */
export class KafkaRefusedError extends MillwrightError {
  readonly code = 'KAFKA_REFUSED'
  readonly retry = 'never'
}

/** User or password are wrong, or the broker's certificate is not trusted, or it wants TLS and was asked in the clear. */
export class KafkaAuthenticationError extends MillwrightError {
  readonly code = 'KAFKA_AUTHENTICATION'
  readonly retry = 'never'
}
