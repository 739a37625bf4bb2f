import { Worker } from 'node:worker_threads'
import type { WatchReport } from '@millwright/monitoring'
import { watchModule } from '../installation.ts'
import type { WatcherMessage, WatcherOrder, WatchWorkerData } from './watcher-messages.ts'

/** How long a stop waits for the state to be saved; what is not saved is read from the topics again. */
const stopMsMax = 2000
const restartAfterMs = 60_000
/** Records live for a moment: a small nursery for them does as well, and an edge box has its memory for the plant. */
const youngGenerationMb = 4

/**
 * The watcher of a running plant, in a thread of its own: the plant neither waits for it nor stops with it.
 *
 * T1. A watcher that fails is said so, once, and begun anew a minute later from what it saved.
 */
export class Watcher {
  readonly #data: WatchWorkerData
  readonly #say: (text: string) => void
  #worker: Worker
  #restart: NodeJS.Timeout | null = null
  #stopping = false
  #failures = 0
  #report: WatchReport | null = null
  #readUpToMs: number | null = null
  #cpuSeconds = 0

  constructor(data: WatchWorkerData, say: (text: string) => void) {
    this.#data = data
    this.#say = say
    this.#worker = this.#start()
  }

  /** The newest report, a few seconds old; `null` before the first. */
  get report(): WatchReport | null {
    return this.#report
  }

  /** Append time before which everything was taken, epoch milliseconds; `null` before the first record. */
  get readUpToMs(): number | null {
    return this.#readUpToMs
  }

  /** Of the present thread, since its start. */
  get cpuSeconds(): number {
    return this.#cpuSeconds
  }

  get isRunning(): boolean {
    return this.#restart === null && !this.#stopping
  }

  /** Since the start of the plant. */
  get failures(): number {
    return this.#failures
  }

  /** Resolves when the state is saved, or two seconds are over. */
  async stop(): Promise<void> {
    this.#stopping = true
    if (this.#restart !== null) {
      clearTimeout(this.#restart)
      return
    }
    const worker = this.#worker
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    worker.postMessage({ kind: 'stop' } satisfies WatcherOrder)
    const timer = setTimeout(() => void worker.terminate(), stopMsMax)
    await ended
    clearTimeout(timer)
  }

  #start(): Worker {
    const worker = new Worker(watchModule, {
      workerData: this.#data,
      resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb },
    })
    worker.on('message', (message: WatcherMessage) => this.#onMessage(message))
    worker.on('error', (error: Error) => this.#onEnd(error.message))
    worker.on('exit', (code) => {
      if (code !== 0) this.#onEnd(`its thread ended with ${code}`)
    })
    return worker
  }

  #onMessage(message: WatcherMessage): void {
    switch (message.kind) {
      case 'progress':
        this.#readUpToMs = Number.isFinite(message.readUpToMs) ? message.readUpToMs : null
        this.#cpuSeconds = message.cpuSeconds
        return
      case 'report':
        this.#report = message.report
        return
      case 'away':
        this.#say(
          message.message === null
            ? 'The model is watched again.'
            : `The model is not watched while the topics cannot be read: ${message.message}`,
        )
        return
      case 'save-failed':
        this.#say(`The watcher could not save what it knows, and tries again in five minutes: ${message.message}`)
        return
    }
  }

  #onEnd(why: string): void {
    if (this.#stopping || this.#restart !== null) return
    this.#failures += 1
    this.#say(`The model is not watched for a minute, the plant goes on: ${why}`)
    this.#restart = setTimeout(() => {
      this.#restart = null
      this.#worker = this.#start()
    }, restartAfterMs)
  }
}
