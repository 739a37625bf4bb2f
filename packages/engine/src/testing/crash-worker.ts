import { writeSync } from 'node:fs'
import { runPartitionWorker } from '../worker.ts'
import { sumsSubject } from './crash-sums.ts'

runPartitionWorker({
  createOperator: sumsSubject.createOperator,
  loadModel: sumsSubject.loadModel,
  onPhase: (phase, edge, partition) => {
    writeSync(1, `phase ${phase} ${edge} ${partition ?? '-'}\n`)
  },
})
