import { Worker } from 'node:worker_threads'
import type { Proof } from './proof.ts'

/** Runs a module that sends readings until it is told to stop, in a thread of its own, so that this one sees alerts when they come. */
export function startLoadThread<Result>(
  proof: Proof,
  module: URL,
  workerData: unknown,
): { /** Resolves with what was sent. */ stop(): Promise<Result> } {
  const worker = new Worker(module, { workerData })
  proof.onEnd(() => void worker.terminate())
  const result = new Promise<Result>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  result.catch(() => undefined)
  return {
    async stop() {
      worker.postMessage('stop')
      return await result
    },
  }
}
