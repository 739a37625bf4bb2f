import { limits } from '@millwright/core'
import { KafkaClosedError, KafkaRefusedError } from './errors.ts'
import { type OfferedBatch, type ProducerIdentity, type ProducerPort, sequenceAfter } from './idempotent-session.ts'
import { isPassing, pause } from './passing-error.ts'
import { type NewRecord, recordBytes } from './record.ts'

/** Kafka's words for: I do not know this producer's last batch any more. */
const sessionLostNames: ReadonlySet<unknown> = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
])
const epochMax = 0x7ffe

/** Milliseconds. */
interface DeliveryTimes {
  /** After which a batch is given up (P3). */
  readonly deliveryMsMax: number
  readonly retryPauseMs: number
}

const deliveryTimes: DeliveryTimes = { deliveryMsMax: limits.kafkaDeliveryMsMax, retryPauseMs: 100 }

interface Delivery {
  readonly records: readonly NewRecord[]
  sentCount: number
  resolve(): void
  reject(error: unknown): void
}

/**
 * Writes records to one partition.
 *
 * P1. Records are in the partition in the order of the calls, each call's in its order.
 * P2. One batch is under way at a time. It is sent again, the same, until Kafka has acknowledged it: over broken connections,
 *     moved leaders and restarted brokers a record is written once.
 * P3. A batch that Kafka has not acknowledged in `kafkaDeliveryMsMax` is given up, with all that waits behind it, and the session ends:
 *     only what was under way may be in the partition, and nothing of it comes later than what is written next.
 * P4. What waits is bounded by the caller.
 */
export class PartitionProducer {
  readonly #port: ProducerPort
  readonly #topic: string
  readonly #times: DeliveryTimes
  readonly #partition: number
  readonly #waiting: Delivery[] = []
  readonly #closing = new AbortController()
  #identity: ProducerIdentity | null = null
  #sequence = 0
  #working = false

  /** @param times Shorter ones for tests. */
  constructor(port: ProducerPort, topic: string, partition: number, times: DeliveryTimes = deliveryTimes) {
    this.#port = port
    this.#topic = topic
    this.#partition = partition
    this.#times = times
  }

  /**
   * Resolves when every record is acknowledged by all copies that are in sync. The memory of the records is in use until then.
   *
   * @throws {KafkaUnreachableError | KafkaRefusedError | KafkaAuthenticationError | KafkaClosedError} By P3.
   */
  write(records: readonly NewRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve()
    if (this.#closing.signal.aborted) return Promise.reject(closed())
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, sentCount: 0, resolve, reject })
      if (!this.#working) void this.#work()
    })
  }

  /** Gives up what is not acknowledged; the caller has waited for what it wanted to. */
  close(): void {
    this.#closing.abort()
  }

  async #work(): Promise<void> {
    this.#working = true
    while (this.#waiting.length > 0) {
      const records = this.#nextBatch()
      try {
        await this.#deliver(records)
        this.#acknowledge(records.length)
      } catch (error) {
        this.#identity = this.#identity === null ? null : successorOf(this.#identity)
        this.#sequence = 0
        for (const { reject } of this.#waiting.splice(0)) reject(error)
      }
    }
    this.#working = false
  }

  /** The first records that wait, of as many calls as fit one batch. */
  #nextBatch(): NewRecord[] {
    const batch: NewRecord[] = []
    let byteLength = 0
    for (const { records, sentCount } of this.#waiting)
      for (let index = sentCount; index < records.length; index++) {
        const record = records[index] as NewRecord
        byteLength += recordBytes(record)
        if (batch.length > 0 && byteLength > limits.kafkaBatchBytesMax) return batch
        batch.push(record)
      }
    return batch
  }

  async #deliver(records: readonly NewRecord[]): Promise<void> {
    const deadlineMs = performance.now() + this.#times.deliveryMsMax
    /** Whether an attempt may have written it though it was not acknowledged. */
    let uncertain = false
    for (;;) {
      try {
        await this.#port.offer(await this.#batchOf(records))
        this.#sequence = sequenceAfter(this.#sequence, records.length)
        return
      } catch (error) {
        if (this.#closing.signal.aborted) throw closed(error)
        if (performance.now() >= deadlineMs) throw error
        // What Kafka says it cannot place was not written: a new session may write it, unless an earlier attempt had.
        if (isSessionLost(error) && !uncertain) this.#identity = null
        else if (isPassing(error)) uncertain = true
        else throw error
      }
      await pause(this.#times.retryPauseMs, this.#closing.signal)
    }
  }

  async #batchOf(records: readonly NewRecord[]): Promise<OfferedBatch> {
    if (this.#identity === null) {
      this.#identity = await this.#port.newIdentity()
      this.#sequence = 0
    }
    return {
      topic: this.#topic,
      partition: this.#partition,
      records,
      identity: this.#identity,
      sequence: this.#sequence,
      transactionalId: null,
    }
  }

  #acknowledge(recordCount: number): void {
    for (let left = recordCount; left > 0; ) {
      const first = this.#waiting[0] as Delivery
      const count = Math.min(left, first.records.length - first.sentCount)
      first.sentCount += count
      left -= count
      if (first.sentCount < first.records.length) return
      this.#waiting.shift()
      first.resolve()
    }
  }
}

function isSessionLost(error: unknown): boolean {
  return error instanceof KafkaRefusedError && sessionLostNames.has(error.details['kafkaError'])
}

/**
 * An identity that shuts out the one before: what is still on its way from that one is refused (P3). `null`: a new one is needed.
 *
 * Source: KIP-360, where a producer without transactions raises its epoch on its own.
 */
function successorOf({ producerId, producerEpoch }: ProducerIdentity): ProducerIdentity | null {
  return producerEpoch < epochMax ? { producerId, producerEpoch: producerEpoch + 1 } : null
}

function closed(cause?: unknown): KafkaClosedError {
  return new KafkaClosedError('The gateway to Kafka was closed before Kafka had acknowledged the records.', { cause })
}
