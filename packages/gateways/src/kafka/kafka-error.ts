import { AuthenticationError, UserError } from '@platformatic/kafka'
import { KafkaAuthenticationError, KafkaRefusedError, KafkaUnreachableError } from './errors.ts'

/** Codes of Node's TLS that say that a certificate is not trusted or not for this name. Source: Node's documentation, "X509 certificate error codes". */
const certificateCodes = /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_)/

/**
 * Turns an error of the client library into one of ours: not allowed in, refused by name, or not reached.
 *
 * @param what Completes "Cannot …".
 */
export function kafkaError(
  what: string,
  error: Error,
): KafkaAuthenticationError | KafkaRefusedError | KafkaUnreachableError {
  const chain = causesOf(error)
  const message = `Cannot ${what}: ${(chain.at(-1) ?? error).message}`
  const shut = chain.find(
    (cause) =>
      cause instanceof AuthenticationError ||
      (cause instanceof UserError && cause.message.includes('TLS')) ||
      certificateCodes.test(String((cause as NodeJS.ErrnoException).code)),
  )
  // What the broker says of a refused login is in its own words below the client's; a password is in neither.
  if (shut !== undefined) return new KafkaAuthenticationError(message, { cause: error })
  const name = protocolErrorName(error)
  return name === null
    ? new KafkaUnreachableError(message, { cause: error })
    : new KafkaRefusedError(message, { cause: error, details: { kafkaError: name } })
}

/** Kafka's own name of what went wrong, somewhere below an error of the client; `null` where Kafka did not answer. */
export function protocolErrorName(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  for (const cause of causesOf(error)) {
    const id = (cause as { apiId?: unknown }).apiId
    if (typeof id === 'string') return id
    // The client looks topics up by itself, and gives this answer in words of its own.
    if (cause instanceof UserError && cause.message.startsWith('Unknown topic ')) return 'UNKNOWN_TOPIC_OR_PARTITION'
  }
  return null
}

/** Deep enough for a request that was tried on several brokers, several times. */
const causesMax = 64

/** The error and all that it came from, outermost first. */
function causesOf(error: Error): Error[] {
  const found = [error]
  for (let index = 0; index < found.length && found.length < causesMax; index++) {
    const outer = found[index] as Error
    for (const inner of [...(outer instanceof AggregateError ? outer.errors : []), outer.cause])
      if (inner instanceof Error && !found.includes(inner)) found.push(inner)
  }
  return found
}
