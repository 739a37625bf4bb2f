import { runPartitionWorker } from '../worker.ts'
import { loadTestModel, SumOperator } from './sum-operator.ts'

runPartitionWorker({
  createOperator: (_partition, sink) => new SumOperator(sink, { silentAfterMs: 1e12 }),
  loadModel: loadTestModel,
})
