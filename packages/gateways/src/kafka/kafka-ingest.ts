import { type IngestPort, limits, type PartitionLines } from '@millwright/core'
import { BrokerLink } from './broker-link.ts'
import { KafkaBusyError, KafkaClosedError, KafkaRefusedError } from './errors.ts'
import { producerPortOf } from './idempotent-session.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import { lineRecords } from './line-records.ts'
import { PartitionProducer } from './partition-producer.ts'
import type { NewRecord } from './record.ts'

const nothing = new Uint8Array(0)

type InputTopic = 'sensor-data' | 'device-events'

/** What a gateway to Kafka counts and sees, for metrics and for whoever asks whether it works. */
export interface KafkaIngestStats {
  /** Lines that Kafka has acknowledged since the start. */
  readonly appendedRecords: number
  /** Empty records that it has, which carried time forward. */
  readonly heartbeats: number
  /** Calls refused since the start because too much waited. */
  readonly refusedBusy: number
  /** Taken in and not acknowledged yet. */
  readonly pendingBytes: number
  /** Why the newest call failed, if none has succeeded since. */
  readonly failure: Error | null
}

/**
 * Where gateways put what they received, on Kafka: a line is a record, its key the device, its partition Kafka's own of that key.
 *
 * I1. A call resolves when every line of it is acknowledged by all copies that are in sync.
 * I2. While the process lives a line is written once, in the order of the calls in its partition (P1, P2). A call that fails may
 *     have written a part of its lines: whoever sends them again sends them at least once.
 * I3. At most `bytesMax` wait for Kafka; a call beyond is refused whole, and nothing of it is written.
 * I4. At most one heartbeat of a partition waits, and none behind lines that wait: they carry time forward themselves.
 */
export class KafkaIngest implements IngestPort {
  readonly partitionCount: number
  readonly #link: BrokerLink
  readonly #producers: Readonly<Record<InputTopic, readonly PartitionProducer[]>>
  readonly #bytesMax: number
  readonly #roomWaiters: { readonly byteLength: number; readonly resolve: () => void }[] = []
  readonly #underWay = new Set<Promise<unknown>>()
  #pendingBytes = 0
  /** Writes under way, by topic and partition (I4). */
  readonly #writing = new Map<PartitionProducer, number>()
  /** Partitions that something was written to since the last call of `heartbeat`. */
  readonly #written = new Set<PartitionProducer>()
  #appendedRecords = 0
  #heartbeats = 0
  #refusedBusy = 0
  #failure: Error | null = null
  #closed = false

  private constructor(link: BrokerLink, partitionCount: number, bytesMax: number) {
    const producers = (topic: InputTopic): PartitionProducer[] =>
      Array.from(
        { length: partitionCount },
        (_, partition) => new PartitionProducer(producerPortOf(link), topic, partition),
      )
    this.#link = link
    this.partitionCount = partitionCount
    this.#bytesMax = bytesMax
    this.#producers = { 'sensor-data': producers('sensor-data'), 'device-events': producers('device-events') }
  }

  /**
   * Reaches Kafka and finds the topics.
   *
   * @param options.bytesMax Default `unsyncedBytesMax`.
   * @throws {KafkaTopicMissingError} Also {@link KafkaRefusedError}, where the two topics of input differ in their partitions.
   * @throws {KafkaUnreachableError | KafkaAuthenticationError}
   */
  static async open(connection: KafkaConnection, options: { readonly bytesMax?: number } = {}): Promise<KafkaIngest> {
    const link = new BrokerLink({ ...connection, timeoutMs: connection.timeoutMs ?? 15_000 }, 'millwright-gateway')
    try {
      const partitionCount = await inputPartitionCount(link)
      return new KafkaIngest(link, partitionCount, options.bytesMax ?? limits.unsyncedBytesMax)
    } catch (error) {
      await link.close()
      throw error
    }
  }

  get stats(): KafkaIngestStats {
    return {
      appendedRecords: this.#appendedRecords,
      heartbeats: this.#heartbeats,
      refusedBusy: this.#refusedBusy,
      pendingBytes: this.#pendingBytes,
      failure: this.#failure,
    }
  }

  async append(topic: InputTopic, parts: readonly PartitionLines[]): Promise<void> {
    if (this.#closed) throw new KafkaClosedError('The gateway to Kafka is closed.')
    const byteLength = parts.reduce((sum, { lines }) => sum + lines.length, 0)
    if (this.#pendingBytes > 0 && this.#pendingBytes + byteLength > this.#bytesMax) {
      this.#refusedBusy += 1
      throw new KafkaBusyError(
        `${this.#pendingBytes} bytes wait for Kafka: no more are taken until it has caught up.`,
        {
          details: { pendingBytes: this.#pendingBytes, byteLength },
        },
      )
    }
    this.#pendingBytes += byteLength
    // All of them, also when one has failed: the memory is in use until then.
    const work = Promise.allSettled(parts.map((part) => this.#write(topic, part)))
    this.#underWay.add(work)
    const outcomes = await work
    this.#underWay.delete(work)
    this.#pendingBytes -= byteLength
    this.#letIn()
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    this.#failure = failed === undefined ? null : (failed.reason as Error)
    if (failed !== undefined) throw failed.reason
  }

  ready(byteLength = limits.requestBytesMax): Promise<void> {
    return new Promise((resolve) => {
      this.#roomWaiters.push({ byteLength, resolve })
      this.#letIn()
    })
  }

  /**
   * Writes an empty record to each partition of both topics that was written nothing since the last call: the operators' time is
   * what the topics say, and the quietest partition holds it back for all (docs/guide/time.md). To be called every second or so;
   * several gateways may do so.
   *
   * @returns When Kafka has them. What fails is no loss: the next call tries again.
   */
  async heartbeat(): Promise<void> {
    if (this.#closed) return
    const quiet = Object.values(this.#producers)
      .flat()
      .filter((producer) => !this.#written.has(producer) && (this.#writing.get(producer) ?? 0) === 0)
    this.#written.clear()
    const work = Promise.allSettled(
      quiet.map(async (producer) => {
        await this.#through(producer, [{ key: null, value: nothing }])
        this.#written.delete(producer)
        this.#heartbeats += 1
      }),
    )
    this.#underWay.add(work)
    await work
    this.#underWay.delete(work)
  }

  /** Takes no more, waits for what is under way for at most so long, and ends the connections. */
  async close(graceMs = 5_000): Promise<void> {
    this.#closed = true
    let timer: NodeJS.Timeout | undefined
    const grace = new Promise((resolve) => {
      timer = setTimeout(resolve, graceMs)
    })
    await Promise.race([Promise.all(this.#underWay), grace])
    clearTimeout(timer)
    for (const producers of Object.values(this.#producers)) for (const producer of producers) producer.close()
    await this.#link.close()
  }

  async #write(topic: InputTopic, { partition, lines, lineCount }: PartitionLines): Promise<void> {
    const producer = this.#producers[topic][partition]
    if (producer === undefined) throw new RangeError(`partition ${partition} of ${this.partitionCount}`)
    await this.#through(producer, lineRecords(lines, partition, this.partitionCount))
    this.#appendedRecords += lineCount
  }

  async #through(producer: PartitionProducer, records: readonly NewRecord[]): Promise<void> {
    this.#writing.set(producer, (this.#writing.get(producer) ?? 0) + 1)
    try {
      await producer.write(records)
      this.#written.add(producer)
    } finally {
      this.#writing.set(producer, (this.#writing.get(producer) ?? 1) - 1)
    }
  }

  #letIn(): void {
    for (;;) {
      const first = this.#roomWaiters[0]
      if (first === undefined) return
      if (this.#pendingBytes > 0 && this.#pendingBytes + first.byteLength > this.#bytesMax) return
      this.#roomWaiters.shift()
      first.resolve()
    }
  }
}

/**
 * How many partitions both topics of input have.
 *
 * @throws {KafkaRefusedError} Where they differ: a device's readings and events would be in different partitions.
 */
export async function inputPartitionCount(link: BrokerLink): Promise<number> {
  const [readings = 0, events = 0] = await link.partitionCounts(['sensor-data', 'device-events'])
  if (readings === events && readings <= limits.partitionsMax) return readings
  throw new KafkaRefusedError(
    `sensor-data has ${readings} partitions and device-events ${events}: they must have as many, at most ${limits.partitionsMax}.`,
  )
}
