import { readFileSync } from 'node:fs'
import type { CaseDesk, Deliveries, LineEvents } from '@millwright/gateways'
import type { ControlHandler } from '../control/control-server.ts'
import { ingestFeedback } from '../ingest/ingest-feedback.ts'
import { ingestFiles } from '../ingest/ingest-files.ts'
import { listModels } from './model-desk.ts'
import type { OpenPlant } from './open-plant.ts'
import { publicationsOf } from './published-models.ts'

/**
 * Does in a running plant what other commands ask for.
 *
 * @param desks.cases `null` where none are kept: what is asked of them is then answered with `null`.
 */
export function controlHandlerOf(
  { plan, engine, door, judge }: OpenPlant,
  desks: { readonly cases: CaseDesk | null; readonly deliveries: Deliveries; readonly lineEvents: LineEvents },
): ControlHandler {
  const { cases, deliveries, lineEvents } = desks
  return async (request, onProgress) => {
    switch (request.kind) {
      case 'ingest': {
        const result = await ingestFiles({ plan, door, ingest: engine, files: request.files, onProgress })
        await engine.drained()
        return { ...result, counters: engine.stats().counters }
      }
      case 'feedback':
        return await ingestFeedback({ plan, feedback: engine, files: request.files, onProgress })
      case 'event':
        return await lineEvents.write(request.target, request.event)
      case 'publish': {
        const { activeFromMs } = request
        return await engine.publish(readFileSync(request.file), activeFromMs === null ? {} : { activeFromMs })
      }
      case 'rollback':
        return await engine.rollback()
      case 'list-cases':
        return cases?.list(request.query) ?? null
      case 'case-command':
        return (await cases?.command(request.command)) ?? null
      case 'list-models':
        return listModels(publicationsOf(engine), judge, Date.now())
      case 'deliveries':
        return await deliveries.status()
      case 'retry-deliveries':
        return { parked: deliveries.retry(request.channel) }
    }
  }
}
