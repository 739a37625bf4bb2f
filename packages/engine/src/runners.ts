import { assert, type OutputTopic } from '@millwright/core'
import type { ResolvedOptions } from './engine-options.ts'
import { RemoteError } from './errors.ts'
import type { ToldRecord } from './output-log.ts'
import type { PreparedPartition } from './partition-host.ts'
import { openInlineLink, openWorkerLink, type RunnerLink } from './runner-link.ts'
import type {
  FromRunner,
  PartitionProgress,
  PartitionStart,
  RunnerSetup,
  SnapshotReport,
  ToRunner,
} from './runner-messages.ts'
import type { LogPosition } from './segment-names.ts'

/** What the engine wants to hear from its runners. */
export interface RunnerEvents {
  readonly onProgress: (progress: PartitionProgress) => void
  readonly onRecords: (topic: OutputTopic, partition: number, records: readonly ToldRecord[]) => void
  readonly onSnapshot: (report: SnapshotReport) => void
  readonly onStalled: (partition: number, error: Error | null) => void
  /** Nothing more is processed. */
  readonly onFailed: (error: Error) => void
}

/** All runners of an engine as one. */
export class Runners {
  readonly #links: readonly RunnerLink[]
  readonly #events: RunnerEvents
  readonly #waiting = new Map<
    string,
    { readonly resolve: (message: FromRunner) => void; readonly reject: (error: Error) => void }
  >()
  #requestCount = 0
  #failure: Error | null = null

  constructor(options: ResolvedOptions, events: RunnerEvents) {
    this.#events = events
    const { partitionCount, operators } = options
    const runnerCount = operators.mode === 'inline' ? 1 : Math.min(Math.max(1, operators.workerCount), partitionCount)
    this.#links = Array.from({ length: runnerCount }, (_, index) => {
      const partitions = Array.from({ length: partitionCount }, (_partition, p) => p).filter(
        (p) => p % runnerCount === index,
      )
      return openLink(options, partitions, (message) => this.#receive(index, message))
    })
  }

  /** Changes nothing on disk. @throws What a runner found, as {@link RemoteError} with its own code. */
  async prepare(): Promise<PreparedPartition[]> {
    const answers = await this.#askAll('prepared', () => ({ kind: 'prepare' }))
    return answers.flatMap((answer) => (answer.kind === 'prepared' ? answer.partitions : []))
  }

  async start(partitions: readonly PartitionStart[]): Promise<PartitionProgress[]> {
    const answers = await this.#askAll('started', (link) => ({
      kind: 'start',
      partitions: partitions.filter(({ partition }) => link.partitions.includes(partition)),
    }))
    return answers.flatMap((answer) => (answer.kind === 'started' ? answer.partitions : []))
  }

  durable(partition: number, position: LogPosition): void {
    const link = this.#links[partition % this.#links.length]
    assert(link !== undefined, 'each partition has a runner')
    link.send({ kind: 'durable', partition, position })
  }

  tell(topics: readonly OutputTopic[]): void {
    for (const link of this.#links) link.send({ kind: 'tell', topics })
  }

  /** Resolves when everything that was durable is processed, with its outputs durable. */
  async drain(): Promise<void> {
    const id = this.#nextRequest()
    await this.#askAll(`drained-${id}`, () => ({ kind: 'drain', id }))
  }

  /** Resolves when each partition has tried to take a snapshot. */
  async snapshot(): Promise<void> {
    const id = this.#nextRequest()
    await this.#askAll(`snapshot-done-${id}`, () => ({ kind: 'snapshot', id }))
  }

  tick(): void {
    for (const link of this.#links) link.tick()
  }

  /** Resolves to whether all runners ended by themselves within `withinMs`; those that did not are ended. */
  async close(processMs: number, withinMs: number): Promise<boolean> {
    this.#failure = null
    const closed = this.#askAll('closed', () => ({ kind: 'close', processMs })).then(
      () => true,
      () => false,
    )
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), withinMs)
    })
    const inTime = await Promise.race([closed, late])
    clearTimeout(timer)
    if (!inTime) await this.terminate()
    return inTime
  }

  async terminate(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.terminate()))
  }

  async #askAll(answer: string, message: (link: RunnerLink) => ToRunner): Promise<FromRunner[]> {
    if (this.#failure !== null) throw this.#failure
    return await Promise.all(
      this.#links.map(
        (link, index) =>
          new Promise<FromRunner>((resolve, reject) => {
            this.#waiting.set(`${index} ${answer}`, { resolve, reject })
            link.send(message(link))
          }),
      ),
    )
  }

  #receive(index: number, message: FromRunner): void {
    switch (message.kind) {
      case 'prepared':
      case 'started':
      case 'closed':
        this.#answer(`${index} ${message.kind}`, message)
        return
      case 'drained':
      case 'snapshot-done':
        this.#answer(`${index} ${message.kind}-${message.id}`, message)
        return
      case 'progress':
        this.#events.onProgress(message.progress)
        return
      case 'records':
        this.#events.onRecords(message.topic, message.partition, message.records)
        return
      case 'snapshot':
        this.#events.onSnapshot(message.report)
        return
      case 'stalled':
        this.#events.onStalled(message.partition, message.error === null ? null : new RemoteError(message.error))
        return
      case 'failed':
        this.#failed(new RemoteError(message.error))
    }
  }

  #answer(key: string, message: FromRunner): void {
    this.#waiting.get(key)?.resolve(message)
    this.#waiting.delete(key)
  }

  #failed(error: Error): void {
    this.#failure = error
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting) reject(error)
    this.#events.onFailed(error)
  }

  #nextRequest(): number {
    this.#requestCount += 1
    return this.#requestCount
  }
}

function openLink(
  options: ResolvedOptions,
  partitions: readonly number[],
  onMessage: (message: FromRunner) => void,
): RunnerLink {
  const { operators, directory, identity, segmentBytesMax, snapshotEveryMs, disk, clock, elapsedMs, onPhase } = options
  const setup: RunnerSetup = { kind: 'setup', directory, identity, partitions, segmentBytesMax, snapshotEveryMs }
  if (operators.mode === 'workers') return openWorkerLink(setup, operators, onMessage)
  const { createOperator, loadModel } = operators
  return openInlineLink(setup, { disk, clock, elapsedMs, createOperator, loadModel, onPhase }, onMessage)
}
