import { type IngestPort, limits, type PartitionLines, type SourceMark } from '@millwright/core'
import { BrokerLink } from './broker-link.ts'
import { KafkaRefusedError } from './errors.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import { inputPartitionCount } from './kafka-ingest.ts'
import { lineRecords } from './line-records.ts'
import { openPositions, positionsTopic } from './positions.ts'
import { type PartitionRecords, TransactionWriter } from './transaction-writer.ts'

/** One for a plant: who opens it second shuts the first out. */
const transactionalId = 'millwright-ingest'

interface Waiting {
  readonly parts: readonly PartitionLines[]
  readonly source: SourceMark
  readonly byteLength: number
  resolve(): void
  reject(error: unknown): void
}

/**
 * Takes files into Kafka, each line once for readers of committed records, whatever is killed and whenever.
 *
 * F1. Lines and the position after them are one transaction: both are there or neither is.
 * F2. Positions are read after an earlier writer was shut out and every transaction on their topic decided: none can change any more.
 * F3. Lines are in their partition in the order of the calls.
 * F4. After a failure nothing more is taken: what came of the last transaction is read at the next opening.
 */
export class KafkaFileIngest implements IngestPort {
  readonly partitionCount: number
  readonly #link: BrokerLink
  readonly #writer: TransactionWriter
  readonly #positions: Map<string, number>
  readonly #waiting: Waiting[] = []
  readonly #roomWaiters: { readonly byteLength: number; readonly resolve: () => void }[] = []
  #waitingBytes = 0
  #working = false
  #failure: unknown = null

  private constructor(parts: {
    readonly link: BrokerLink
    readonly writer: TransactionWriter
    readonly positions: Map<string, number>
    readonly partitionCount: number
  }) {
    this.#link = parts.link
    this.#writer = parts.writer
    this.#positions = parts.positions
    this.partitionCount = parts.partitionCount
  }

  /**
   * Reaches Kafka, takes over from whoever wrote before, and reads how far the files were read (F2).
   *
   * @throws {KafkaTopicMissingError | KafkaUnreachableError | KafkaAuthenticationError | KafkaRefusedError}
   */
  static async open(connection: KafkaConnection): Promise<KafkaFileIngest> {
    const link = new BrokerLink({ ...connection, timeoutMs: connection.timeoutMs ?? 15_000 }, 'millwright-ingest')
    try {
      const partitionCount = await inputPartitionCount(link)
      await link.ensureCompactedTopic(positionsTopic)
      const writer = await TransactionWriter.open(link, transactionalId)
      const positions = await readPositions(connection)
      return new KafkaFileIngest({ link, writer, positions, partitionCount })
    } catch (error) {
      await link.close()
      throw error
    }
  }

  /** Bytes of a source that were taken in; 0 where none were. */
  sourcePosition(id: string): number {
    return this.#positions.get(id) ?? 0
  }

  /** @param source Must be given: without a position nothing could be told apart from what is sent again. */
  append(topic: 'sensor-data' | 'device-events', parts: readonly PartitionLines[], source?: SourceMark): Promise<void> {
    if (topic !== 'sensor-data' || source === undefined)
      return Promise.reject(new KafkaRefusedError('A file holds readings, and has a position after each delivery.'))
    if (this.#failure !== null) return Promise.reject(this.#failure)
    const byteLength = parts.reduce((sum, { lines }) => sum + lines.length, 0)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ parts, source, byteLength, resolve, reject })
      this.#waitingBytes += byteLength
      if (!this.#working) void this.#work()
    })
  }

  ready(byteLength = limits.requestBytesMax): Promise<void> {
    return new Promise((resolve) => {
      this.#roomWaiters.push({ byteLength, resolve })
      this.#letIn()
    })
  }

  /** Ends the connections. A transaction that is under way is ended by the next opening, or by Kafka after a minute. */
  async close(): Promise<void> {
    await this.#link.close()
  }

  async #work(): Promise<void> {
    this.#working = true
    while (this.#waiting.length > 0 && this.#failure === null) {
      const taken = this.#takeNext()
      try {
        await this.#writer.commit(this.#recordsOf(taken))
        for (const { source } of taken) this.#positions.set(source.id, source.position)
        for (const { resolve } of taken) resolve()
      } catch (error) {
        this.#failure = error
        for (const { reject } of [...taken, ...this.#waiting.splice(0)]) reject(error)
        this.#waitingBytes = 0
      }
      this.#letIn()
    }
    this.#working = false
  }

  /** Calls that wait, in order, as many as share one transaction. */
  #takeNext(): Waiting[] {
    const taken: Waiting[] = []
    let byteLength = 0
    for (;;) {
      const next = this.#waiting[0]
      if (next === undefined || (taken.length > 0 && byteLength + next.byteLength > limits.kafkaTransactionBytesMax))
        break
      this.#waiting.shift()
      taken.push(next)
      byteLength += next.byteLength
    }
    this.#waitingBytes -= byteLength
    return taken
  }

  /** F1, F3. */
  #recordsOf(taken: readonly Waiting[]): PartitionRecords[] {
    const lines = Array.from({ length: this.partitionCount }, (_, partition) =>
      taken
        .flatMap(({ parts }) => parts.filter((part) => part.partition === partition))
        .flatMap((part) => lineRecords(part.lines, partition, this.partitionCount)),
    )
    const marks = new Map(taken.map(({ source }) => [source.id, source.position]))
    return [
      ...lines.flatMap((records, partition) =>
        records.length === 0 ? [] : [{ topic: 'sensor-data', partition, records }],
      ),
      {
        topic: positionsTopic,
        partition: 0,
        records: [...marks].map(([id, position]) => ({
          key: Buffer.from(id),
          value: Buffer.from(JSON.stringify({ position })),
        })),
      },
    ]
  }

  #letIn(): void {
    for (;;) {
      const first = this.#roomWaiters[0]
      if (first === undefined) return
      // One transaction's worth waits while another is under way.
      const isFull = this.#waitingBytes + first.byteLength > limits.kafkaTransactionBytesMax
      if (this.#failure === null && this.#waitingBytes > 0 && isFull) return
      this.#roomWaiters.shift()
      first.resolve()
    }
  }
}

async function readPositions(connection: KafkaConnection): Promise<Map<string, number>> {
  const reader = await openPositions(connection)
  const positions = new Map<string, number>()
  try {
    for await (const { key, value } of reader.read({ partition: 0, from: 0, waitsForOpen: true })) {
      if (key === null || value.length === 0) continue
      const { position } = JSON.parse(Buffer.from(value).toString()) as { position: number }
      positions.set(key, position)
    }
  } finally {
    await reader.close()
  }
  return positions
}
