import { readFileSync } from 'node:fs'
import type { ControlHandler } from '../control/control-server.ts'
import { ingestFiles } from '../ingest/ingest-files.ts'
import type { OpenPlant } from './open-plant.ts'

/** Does in a running plant what `millwright ingest` and `millwright models` ask for. */
export function controlHandlerOf({ plan, engine, door }: OpenPlant): ControlHandler {
  return async (request, onProgress) => {
    switch (request.kind) {
      case 'ingest': {
        const result = await ingestFiles({ plan, door, ingest: engine, files: request.files, onProgress })
        await engine.drained()
        return { ...result, counters: engine.stats().counters }
      }
      case 'publish': {
        const { activeFromMs } = request
        return await engine.publish(readFileSync(request.file), activeFromMs === null ? {} : { activeFromMs })
      }
      case 'rollback':
        return await engine.rollback()
    }
  }
}
