import { clientOptions, type KafkaConnection, TopicReader } from '@millwright/gateways/kafka'
import { Consumer, FetchIsolationLevels } from '@platformatic/kafka'
import type { Proof } from './proof.ts'

/** Looks at `alert-signals` as its readers do, and for versions in its bytes alone: it must keep up. */
export class AlertWatch {
  /** Alerts that came so far, one 32-bit number, for another thread too. */
  readonly count = new SharedArrayBuffer(4)
  readonly #counted = new Int32Array(this.count)
  #wanted: { readonly needle: Buffer; readonly found: (atMs: number) => void } | null = null

  /** Committed alerts: what is promised to readers. */
  static async committed(proof: Proof, connection: KafkaConnection): Promise<AlertWatch> {
    const watch = new AlertWatch()
    const reader = await TopicReader.open(connection, 'alert-signals')
    const from = await reader.offsets('end')
    const ending = new AbortController()
    proof.onEnd(() => ending.abort())
    const follow = async (partition: number, offset: number): Promise<void> => {
      for await (const { value } of reader.read({ partition, from: offset, follow: true, signal: ending.signal }))
        watch.#take(value)
    }
    for (const [partition, offset] of from.entries())
      follow(partition, offset).catch((error: unknown) => proof.check(false, `committed alerts are read: ${error}`))
    return watch
  }

  /** All alerts, those too whose transaction is open or will be aborted: what the job has said so far. */
  static async uncommitted(proof: Proof, connection: KafkaConnection): Promise<AlertWatch> {
    const watch = new AlertWatch()
    const consumer = new Consumer<Buffer, Buffer, Buffer, Buffer>({
      ...clientOptions(connection, 'proof-watch'),
      groupId: `proof-watch-${process.pid}`,
      autocommit: false,
      isolationLevel: FetchIsolationLevels.READ_UNCOMMITTED,
    })
    const stream = await consumer.consume({ topics: ['alert-signals'], mode: 'latest', maxWaitTime: 50 })
    stream.on('data', ({ value }: { value: Buffer }) => watch.#take(value))
    stream.on('error', (error) => proof.say(`the watch of uncommitted alerts ended: ${error.message}`))
    proof.onEnd(() => void consumer.close(true))
    return watch
  }

  get alertCount(): number {
    return Atomics.load(this.#counted, 0)
  }

  /** Resolves with the time at which the first alert by a version comes from now on, epoch milliseconds. */
  firstBy(version: string): Promise<number> {
    return new Promise((resolve) => {
      this.#wanted = { needle: Buffer.from(`"version":"${version}"`), found: resolve }
    })
  }

  #take(value: Uint8Array): void {
    Atomics.add(this.#counted, 0, 1)
    Atomics.notify(this.#counted, 0)
    if (this.#wanted === null) return
    if (!Buffer.from(value.buffer, value.byteOffset, value.byteLength).includes(this.#wanted.needle)) return
    this.#wanted.found(Date.now())
    this.#wanted = null
  }
}
