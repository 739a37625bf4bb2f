import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { errorToData } from './errors.ts'
import { PartitionRunner, type RunnerEnvironment } from './partition-runner.ts'
import type { FromRunner, RunnerSetup, ToRunner } from './runner-messages.ts'

/** The engine's end of the line to one runner. */
export interface RunnerLink {
  readonly partitions: readonly number[]
  send(message: ToRunner): void
  /** See {@link PartitionRunner.tick}; a worker ticks by itself. */
  tick(): void
  /** Ends a runner that does not answer. */
  terminate(): Promise<void>
}

/** A runner in the engine's own thread. Its answers come in later turns, as a worker's would. */
export function openInlineLink(
  setup: RunnerSetup,
  environment: Omit<RunnerEnvironment, 'send'>,
  onMessage: (message: FromRunner) => void,
): RunnerLink {
  const runner = new PartitionRunner(setup, {
    ...environment,
    send: (message) => queueMicrotask(() => onMessage(message)),
  })
  return {
    partitions: setup.partitions,
    send: (message) => void runner.receive(message),
    tick: () => runner.tick(),
    terminate: () => Promise.resolve(),
  }
}

/** A runner in a worker thread, whose module calls `runPartitionWorker`. */
export function openWorkerLink(
  setup: RunnerSetup,
  worker: { readonly module: URL; readonly workerData: unknown },
  onMessage: (message: FromRunner) => void,
): RunnerLink {
  const thread = new Worker(worker.module, {
    workerData: worker.workerData,
    name: `partitions-${setup.partitions.join('-')}`,
    env: workerEnvironment(),
  })
  let state: 'running' | 'ending' | 'dead' = 'running'
  const died = (error: Error): void => {
    if (state === 'running') onMessage({ kind: 'failed', error: errorToData(error) })
    state = 'dead'
  }
  thread.on('message', (message: FromRunner) => {
    if (message.kind === 'closed') state = 'ending'
    onMessage(message)
  })
  // What a worker throws outside of a record, memory that runs out, an exit that nobody asked for: all stop the plant.
  thread.on('error', died)
  thread.on('exit', (exitCode) => died(new Error(`a worker thread ended with code ${exitCode} unasked`)))
  thread.postMessage(setup)
  return {
    partitions: setup.partitions,
    send: (message) => {
      if (state !== 'dead') thread.postMessage(message)
      else if (message.kind === 'close') queueMicrotask(() => onMessage({ kind: 'closed' }))
    },
    tick: () => undefined,
    terminate: async () => {
      if (state === 'running') state = 'ending'
      await thread.terminate()
    },
  }
}

/** A thread does not inherit the cache of compiled code that its process has enabled, and would compile all of it again. */
function workerEnvironment(): NodeJS.ProcessEnv {
  const cache = getCompileCacheDir()
  return cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(cache) }
}
