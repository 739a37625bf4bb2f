import { assert, type OutputTopic } from '@millwright/core'
import { PartitionHost, type PartitionHostOptions, type PreparedPartition } from './partition-host.ts'
import type { LogPosition } from './segment-names.ts'

/**
 * The place of one partition in a runner. Its host changes when the disk has failed it: the old one is put aside, and
 * after a while another is opened on what is durable.
 */
export class PartitionSlot {
  readonly partition: number
  readonly #options: PartitionHostOptions
  /** The runner sets it: input before is durable. */
  durable: LogPosition = { segment: 0, bytes: 0, offset: 0 }
  #host: PartitionHost | null = null
  #suspended: PartitionHost | null = null
  #told: readonly OutputTopic[] = []
  #attempts = 0
  #retryAtMs = Number.POSITIVE_INFINITY

  constructor(options: PartitionHostOptions) {
    this.partition = options.partition
    this.#options = options
  }

  /** The host that runs; `null` before the start and while the disk fails it. */
  get host(): PartitionHost | null {
    return this.#host
  }

  get options(): PartitionHostOptions {
    return this.#options
  }

  get hasWork(): boolean {
    return this.#host?.hasWork(this.durable) ?? false
  }

  /** Reads what is there; see {@link PartitionHost.prepare}. The host is not running yet. */
  async prepare(): Promise<PreparedPartition> {
    this.#suspended = new PartitionHost(this.#options)
    return await this.#suspended.prepare()
  }

  async start(inputNeeded: number, durable: LogPosition): Promise<void> {
    const host = this.#suspended
    assert(host !== null, 'a partition is prepared before it is started')
    this.durable = durable
    await host.start(inputNeeded)
    host.tell(this.#told)
    this.#suspended = null
    this.#host = host
  }

  tell(topics: readonly OutputTopic[]): void {
    this.#told = topics
    this.#host?.tell(topics)
  }

  /** Puts a failed host aside: to be tried again after one second, then two, four, at most ten. */
  suspend(host: PartitionHost, nowMs: number): boolean {
    if (this.#host !== host) return false
    this.#host = null
    this.#suspended = host
    this.#retryLater(nowMs)
    return true
  }

  /** To be called when the host has gone on without a failure. */
  wentWell(): void {
    this.#attempts = 0
  }

  isRetryDue(nowMs: number): boolean {
    return nowMs >= this.#retryAtMs
  }

  /**
   * Opens another host on what is durable.
   *
   * @throws What the host throws; the next attempt is then due later.
   */
  async retry(nowMs: number): Promise<void> {
    this.#retryAtMs = Number.POSITIVE_INFINITY
    const failed = this.#suspended
    try {
      await failed?.snapshotSettled()
      failed?.recoverOutputs()
      failed?.close()
      this.#suspended = null
      const { inputNeeded } = await this.prepare()
      await this.start(inputNeeded, this.durable)
    } catch (error) {
      this.#retryLater(nowMs)
      throw error
    }
  }

  /** Gives the files back; nothing more is written. */
  async close(): Promise<void> {
    await this.#host?.snapshotSettled()
    this.#host?.close()
    this.#suspended?.close()
    this.#host = null
    this.#suspended = null
  }

  #retryLater(nowMs: number): void {
    this.#retryAtMs = nowMs + Math.min(1000 * 2 ** this.#attempts, 10_000)
    this.#attempts += 1
  }
}
