import { readFileSync } from 'node:fs'
import type { Deliveries } from '@millwright/gateways'
import type { ControlHandler } from '../control/control-server.ts'
import { ingestFeedback } from '../ingest/ingest-feedback.ts'
import { ingestFiles } from '../ingest/ingest-files.ts'
import { listModels } from './model-desk.ts'
import type { OpenPlant } from './open-plant.ts'
import { publicationsOf } from './published-models.ts'

/** Does in a running plant what `millwright ingest`, `millwright models` and `millwright deliveries` ask for. */
export function controlHandlerOf({ plan, engine, door, judge }: OpenPlant, deliveries: Deliveries): ControlHandler {
  return async (request, onProgress) => {
    switch (request.kind) {
      case 'ingest': {
        const result = await ingestFiles({ plan, door, ingest: engine, files: request.files, onProgress })
        await engine.drained()
        return { ...result, counters: engine.stats().counters }
      }
      case 'feedback':
        return await ingestFeedback({ feedback: engine, files: request.files, onProgress })
      case 'publish': {
        const { activeFromMs } = request
        return await engine.publish(readFileSync(request.file), activeFromMs === null ? {} : { activeFromMs })
      }
      case 'rollback':
        return await engine.rollback()
      case 'list-models':
        return listModels(publicationsOf(engine), judge, Date.now())
      case 'deliveries':
        return await deliveries.status()
      case 'retry-deliveries':
        return { parked: deliveries.retry(request.channel) }
    }
  }
}
