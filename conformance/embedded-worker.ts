import { readFileSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { runPartitionWorker } from '@millwright/engine'
import { createPartitionOperator } from '@millwright/operators'
import { kernelDecoder, parseFlowScript } from '@millwright/testkit'
import { loadStepModel } from './embedded-engine.ts'

// A worker reads the script for itself: functions of a plan cannot be sent between threads.
const { scriptPath } = workerData as { readonly scriptPath: string }
const { plan } = parseFlowScript(readFileSync(scriptPath, 'utf8'))

runPartitionWorker({
  createOperator: (_partition, sink) => createPartitionOperator({ plan, decoder: kernelDecoder(plan), sink }),
  loadModel: (_sha256, bytes) => loadStepModel(plan, bytes),
})
