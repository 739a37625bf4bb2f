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

/** A topic that was asked for is not there. */
export class KafkaTopicMissingError extends MillwrightError {
  readonly code = 'KAFKA_TOPIC_MISSING'
  readonly retry = 'never'
}

/** More waits for Kafka than may wait. Nothing of the call was taken. */
export class KafkaBusyError extends MillwrightError {
  readonly code = 'BUSY'
  readonly retry = 'later'
}

/** The gateway was closed before Kafka had acknowledged. */
export class KafkaClosedError extends MillwrightError {
  readonly code = 'KAFKA_CLOSED'
  readonly retry = 'later'
}

/** Another program reads files into the same topic now; this one must not go on, since lines would enter twice. */
export class KafkaTakenOverError extends MillwrightError {
  readonly code = 'KAFKA_TAKEN_OVER'
  readonly retry = 'never'
}
