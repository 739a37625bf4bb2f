import type { IngestPort, Plan } from '@millwright/core'
import { type Door, LineEvents } from '@millwright/gateways'
import { eventTypes } from '@millwright/operators'

/** What writes events of several machines of a plan, through a door onto where its records go. */
export function lineEventsOf(way: {
  readonly plan: Plan
  readonly door: Door
  readonly ingest: IngestPort
}): LineEvents {
  return new LineEvents({ ...way, usedTypes: eventTypes(way.plan), nowMs: () => Date.now() })
}
