import { parentPort } from 'node:worker_threads'
import { assert } from '@millwright/core'
import type { LoadModel } from './model-cache.ts'
import { NodeDisk } from './node-disk.ts'
import type { CreateOperator } from './partition-host.ts'
import { PartitionRunner } from './partition-runner.ts'
import type { OnPhase } from './phases.ts'
import type { RunnerSetup, ToRunner } from './runner-messages.ts'

/** What a plant brings to a worker thread. */
export interface PartitionWorker {
  readonly createOperator: CreateOperator
  /** Makes a model of a package that was accepted when it was published; called once per model and thread. */
  readonly loadModel: LoadModel
  readonly onPhase?: OnPhase
}

const tickMs = 100

/**
 * Turns this worker thread into a runner of partitions; to be called once, by the module that the engine was given. The
 * thread ends when the engine is closed.
 */
export function runPartitionWorker(worker: PartitionWorker): void {
  const port = parentPort
  assert(port !== null, 'runPartitionWorker runs in a worker thread')
  let runner: PartitionRunner | null = null
  const ticking = setInterval(() => runner?.tick(), tickMs)
  port.on('message', (message: RunnerSetup | ToRunner) => {
    if (message.kind !== 'setup') {
      void runner?.receive(message)
      return
    }
    runner = new PartitionRunner(message, {
      disk: new NodeDisk(),
      clock: { nowMs: () => Date.now() },
      elapsedMs: () => performance.now(),
      createOperator: worker.createOperator,
      loadModel: worker.loadModel,
      onPhase: worker.onPhase ?? null,
      send: (answer) => {
        port.postMessage(answer)
        if (answer.kind !== 'closed') return
        clearInterval(ticking)
        port.close()
      },
    })
  })
}
