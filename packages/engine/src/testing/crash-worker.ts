import { runPartitionWorker } from '../worker.ts'
import { sayPhase } from './crash-load.ts'
import { sumsSubject } from './crash-sums.ts'

runPartitionWorker({
  createOperator: sumsSubject.createOperator,
  loadModel: sumsSubject.loadModel,
  onPhase: sayPhase,
})
