import { workerData } from 'node:worker_threads'
import { runPartitionWorker } from '@millwright/engine'
import { loadPublishedPackage } from '../models/load-package.ts'
import { loadProject } from '../project/load-project.ts'
import { buildOperator } from './build-operator.ts'

/** What the main thread tells a worker of its plant. */
export interface PlantWorkerData {
  readonly configPath: string
}

// A worker reads the project for itself: the user's own feature functions cannot be sent between threads.
const { configPath } = workerData as PlantWorkerData
const { plan } = await loadProject(configPath)

runPartitionWorker({
  createOperator: (_partition, sink) => buildOperator(plan, sink),
  loadModel: (_sha256, bytes) => {
    const model = loadPublishedPackage(bytes, plan)
    // The first explanation plans its tables, tens of milliseconds: here no alert waits for it.
    model?.scorer.contributions(new Float32Array(model.scorer.featureCount))
    return model
  },
})
