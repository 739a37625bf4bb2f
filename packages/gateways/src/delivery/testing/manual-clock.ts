import type { DeliveryClock } from '../delivery-port.ts'
import { startMs } from './cases.ts'

interface Sleeper {
  readonly untilMs: number
  wake(): void
}

/** A clock that goes on only when a test says so: to the next thing that is waited for. */
export class ManualClock implements DeliveryClock {
  #nowMs = startMs
  readonly #sleepers = new Set<Sleeper>()
  #onSleep: (() => void)[] = []

  nowMs(): number {
    return this.#nowMs
  }

  pause(durationMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const sleeper = {
        untilMs: this.#nowMs + durationMs,
        wake: () => {
          this.#sleepers.delete(sleeper)
          resolve()
        },
      }
      this.#sleepers.add(sleeper)
      signal.addEventListener('abort', sleeper.wake, { once: true })
      for (const told of this.#onSleep.splice(0)) told()
    })
  }

  /** Resolves with how long, when somebody waits at least so long; the clock stands. */
  async slept(durationMs: number): Promise<number> {
    for (;;) {
      const found = [...this.#sleepers].find(({ untilMs }) => untilMs - this.#nowMs >= durationMs)
      if (found !== undefined) return found.untilMs - this.#nowMs
      await new Promise<void>((resolve) => this.#onSleep.push(resolve))
    }
  }

  /** Lets so much time go by, and wakes who waited for less. */
  advance(durationMs: number): void {
    this.#nowMs += durationMs
    for (const sleeper of [...this.#sleepers]) if (sleeper.untilMs <= this.#nowMs) sleeper.wake()
  }
}
