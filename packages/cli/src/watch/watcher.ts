import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { CaseLine } from '@millwright/core'
import type { CaseChanges, WatchReport } from '@millwright/monitoring'
import { watchModule } from '../installation.ts'
import type { Say } from '../log/log-codes.ts'
import type { WatcherMessage, WatcherOrder, WatchWorkerData } from './watcher-messages.ts'

/** How long a stop waits for the state to be saved; what is not saved is read from the topics again. */
const stopMsMax = 2000
const restartAfterMs = 60_000
const writeAgainAfterMs = 1000
/** Records live for a moment: a small nursery for them does as well, and an edge box has its memory for the plant. */
const youngGenerationMb = 4

/** Where the cases of a watcher go. */
export interface CaseSink {
  /** Resolves when what is not there yet is on stable storage. */
  append(lines: readonly CaseLine[]): Promise<void>
  /** @param first These are all the cases there are. */
  changed(changes: CaseChanges, first: boolean): void
}

/** What is needed of a thread. */
export type WatchThread = Pick<Worker, 'on' | 'once' | 'postMessage' | 'terminate'>

/**
 * The watcher of a running plant, in a thread of its own: the plant neither waits for it nor stops with it.
 *
 * T1. A watcher that fails is said so, once, and begun anew a minute later from what it saved.
 * T2. The thread is told that its messages to `cases` are written when they are; until then they are written again and again.
 * T3. One write is under way at a time, over threads too: two at once would each shut the other out. A thread begins when what its forerunner wrote has ended.
 * T4. How far a thread has read is told before what follows from it: whoever looks at its cases knows how old they are.
 */
export class Watcher {
  readonly #data: WatchWorkerData
  readonly #say: Say
  readonly #cases: CaseSink | null
  readonly #stop = new AbortController()
  readonly #begin: (data: WatchWorkerData) => WatchThread
  #worker: WatchThread
  /** Resolves when nothing is being written (T3). */
  #writing: Promise<void> = Promise.resolve()
  #restart: NodeJS.Timeout | null = null
  #stopping = false
  #failures = 0
  #report: WatchReport | null = null
  #readUpToMs: number | null = null
  #cpuSeconds = 0

  /**
   * @param cases Where its cases go; `null`: nowhere, they are not kept.
   * @param begin Begins a thread.
   */
  constructor(
    data: Omit<WatchWorkerData, 'keepsCases'>,
    cases: CaseSink | null,
    say: Say,
    begin: (data: WatchWorkerData) => WatchThread = beginWorker,
  ) {
    this.#begin = begin
    this.#data = { ...data, keepsCases: cases !== null }
    this.#cases = cases
    this.#say = say
    this.#worker = this.#start()
  }

  /** The newest report, a few seconds old; `null` before the first. */
  get report(): WatchReport | null {
    return this.#report
  }

  /** Append time before which the present thread took everything, epoch milliseconds; `null` before the first record. */
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

  /** Somebody waits for what becomes of a command. */
  hurry(): void {
    this.#tell(this.#worker, { kind: 'hurry' })
  }

  /** Resolves when the state is saved, or two seconds are over. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#stop.abort()
    if (this.#restart !== null) {
      clearTimeout(this.#restart)
      return
    }
    const worker = this.#worker
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    this.#tell(worker, { kind: 'stop' })
    const timer = setTimeout(() => void worker.terminate(), stopMsMax)
    await ended
    clearTimeout(timer)
  }

  #start(): WatchThread {
    // It may have to read from further back than the one before had.
    this.#readUpToMs = null
    const worker = this.#begin(this.#data)
    worker.on('message', (message: WatcherMessage) => this.#onMessage(worker, message))
    worker.on('error', (error: Error) => this.#onEnd(error.message))
    worker.on('exit', (code) => {
      if (code !== 0) this.#onEnd(`its thread ended with ${code}`)
    })
    return worker
  }

  #onMessage(worker: WatchThread, message: WatcherMessage): void {
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
          message.message === null ? 'WATCHER_BACK' : 'WATCHER_AWAY',
          message.message === null
            ? 'The model is watched again.'
            : `The model is not watched while the topics cannot be read: ${message.message}`,
        )
        return
      case 'cases':
        this.#writing = this.#write(worker, message.lines)
        return
      case 'case-changes':
        this.#cases?.changed(message.changes, message.first)
        return
      case 'save-failed':
        this.#say(
          'WATCHER_NOT_SAVED',
          `The watcher could not save what it knows, and tries again in five minutes: ${message.message}`,
        )
        return
    }
  }

  /** Until it is written, the plant stops, or the thread has ended: the next one says it again (T2). */
  async #write(worker: WatchThread, lines: readonly CaseLine[]): Promise<void> {
    let failed = false
    const isWanted = (): boolean => this.isRunning && worker === this.#worker
    while (isWanted()) {
      try {
        await this.#cases?.append(lines)
        this.#tell(worker, { kind: 'cases-written' })
        return
      } catch (error) {
        if (!failed && !this.#stopping)
          this.#say(
            'CASES_NOT_WRITTEN',
            `Cases cannot be written, and are tried again: ${error instanceof Error ? error.message : String(error)}`,
          )
        failed = true
        if (isWanted()) await pause(writeAgainAfterMs, undefined, { signal: this.#stop.signal }).catch(() => undefined)
      }
    }
  }

  #tell(worker: WatchThread, order: WatcherOrder): void {
    worker.postMessage(order)
  }

  #onEnd(why: string): void {
    if (this.#stopping || this.#restart !== null) return
    this.#failures += 1
    this.#say('WATCHER_FAILED', `The model is not watched for a minute, the plant goes on: ${why}`)
    this.#restart = setTimeout(() => void this.#startAnew(), restartAfterMs)
  }

  /** T3. */
  async #startAnew(): Promise<void> {
    await this.#writing
    if (this.#stopping) return
    this.#restart = null
    this.#worker = this.#start()
  }
}

function beginWorker(workerData: WatchWorkerData): Worker {
  return new Worker(watchModule, { workerData, resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb } })
}
