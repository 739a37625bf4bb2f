import type { ChannelState, ChannelStore } from '../channel-file.ts'
import type { DeliveryPort } from '../delivery-port.ts'
import type { Notification } from '../notification.ts'

/** A peer in memory: takes what comes, unless the test says otherwise for the next attempts. */
export class FakePeer implements DeliveryPort {
  batchMax = 1
  paceMs = 0
  tellsState?: true
  readonly target = 'memory'
  /** Ids of each message taken. */
  readonly taken: string[][] = []
  /** What the next attempts end with, first to last; `hang`: only with the signal. */
  readonly answers: (Error | 'hang')[] = []
  attempts = 0
  closed = false
  /** What it wants kept. */
  kept: unknown = null
  #told: (() => void)[] = []

  async send(batch: readonly Notification[], signal: AbortSignal): Promise<void> {
    this.attempts += 1
    const answer = this.answers.shift()
    for (const tell of this.#told.splice(0)) tell()
    if (answer === 'hang')
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('cut'))))
    if (answer instanceof Error) throw answer
    this.taken.push(batch.map(({ id }) => id))
    for (const tell of this.#told.splice(0)) tell()
  }

  state(): unknown {
    return this.kept
  }

  async close(): Promise<void> {
    this.closed = true
  }

  /** Resolves when a condition holds, which is looked at whenever something is attempted or taken. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#told.push(resolve))
  }
}

/** A store in memory that may fail. */
export class FakeStore implements ChannelStore {
  saved: ChannelState | null = null
  failure: Error | null = null
  #told: (() => void)[] = []

  async read(): Promise<ChannelState | null> {
    return this.saved
  }

  async write(state: ChannelState): Promise<void> {
    const { failure } = this
    // Told after the channel has seen the outcome.
    setImmediate(() => {
      for (const tell of this.#told.splice(0)) tell()
    })
    if (failure !== null) throw failure
    this.saved = structuredClone(state)
  }

  /** Resolves after the next attempt to save. */
  async written(): Promise<void> {
    await new Promise<void>((resolve) => this.#told.push(resolve))
  }
}
