import { KafkaRefusedError, KafkaUnreachableError } from './errors.ts'

/** What Kafka answers while leaders and coordinators move, or copies catch up. Source: apache/kafka `clients/…/protocol/Errors.java`, RetriableException. */
const passingNames: ReadonlySet<string> = new Set([
  'BROKER_NOT_AVAILABLE',
  'CONCURRENT_TRANSACTIONS',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'CORRUPT_MESSAGE',
  'FENCED_LEADER_EPOCH',
  'KAFKA_STORAGE_ERROR',
  'LEADER_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'NOT_COORDINATOR',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'NOT_LEADER_OR_FOLLOWER',
  'OFFSET_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'REQUEST_TIMED_OUT',
  'THROTTLING_QUOTA_EXCEEDED',
  'UNKNOWN_LEADER_EPOCH',
  // Of a topic that was there at the start: a broker that has just come up does not know of it yet.
  'UNKNOWN_TOPIC_OR_PARTITION',
])

/** Whether the same request may be answered otherwise in a moment. What is not an error of Kafka's is not passing. */
export function isPassing(error: unknown): boolean {
  if (error instanceof KafkaUnreachableError) return true
  return error instanceof KafkaRefusedError && passingNames.has(String(error.details['kafkaError']))
}

/** Between two attempts, milliseconds: short enough that a moved leader is found at once, long enough not to be a load. */
const pauseMs = 100

/**
 * Makes attempts until one succeeds, fails for good, or the time is over.
 *
 * @param options.deadlineMs On the scale of `performance.now()`: no attempt begins after it.
 * @param options.signal Ends the waiting; the last error is thrown then.
 * @throws What the last attempt threw.
 */
export async function untilPassed<T>(
  options: { readonly deadlineMs: number; readonly signal?: AbortSignal },
  attempt: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (!isPassing(error) || performance.now() >= options.deadlineMs || options.signal?.aborted) throw error
    }
    await pause(pauseMs, options.signal)
  }
}

/** Resolves after a time, or at once when the signal is aborted. */
export function pause(durationMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, durationMs)
    signal?.addEventListener('abort', done)
    if (signal?.aborted) done()
  })
}
