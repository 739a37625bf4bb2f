import type { Plan } from '@millwright/core'
import type { HttpGatewayStats, PlantStatus } from '@millwright/gateways'
import { release } from '../installation.ts'
import type { GaugeReading, HistogramReading } from './metrics.ts'

/** What is told of a plant wherever its operators run. */

/** @param engine Where the operators are: `embedded` in this process, `flink` elsewhere. */
export function buildInfo({ name }: Plan, engine: 'embedded' | 'flink'): GaugeReading {
  const labels = { version: release, node: process.versions.node, plant: name, engine }
  return { name: 'build_info', help: 'what runs here; always 1', values: [{ labels, value: 1 }] }
}

/** @param model In force; `null` where none is. */
export function modelGauges({ model: wanted }: Plan, model: PlantStatus['model']): GaugeReading[] {
  if (wanted === null) return []
  return [
    {
      name: 'model_in_force',
      help: 'whether windows that close now are scored: 1 or 0',
      values: [{ labels: {}, value: model === null ? 0 : 1 }],
    },
    {
      name: 'model_active_from_timestamp_seconds',
      help: 'when the model in force came into force, Unix time',
      values:
        model === null
          ? []
          : [{ labels: { model: model.name, version: model.version }, value: model.activeFrom / 1000 }],
    },
  ]
}

export function gatewayGauges({ requestsInFlight, eventStreams }: HttpGatewayStats): GaugeReading[] {
  return [
    { name: 'http_requests_in_flight', help: 'not answered yet', values: [{ labels: {}, value: requestsInFlight }] },
    { name: 'http_event_streams', help: 'streams open now', values: [{ labels: {}, value: eventStreams }] },
  ]
}

export function gatewayHistograms({ requestDurations }: HttpGatewayStats): HistogramReading[] {
  return [
    {
      name: 'http_request_duration_seconds',
      help: 'from the head of a request to the end of its answer, without streams',
      values: [...requestDurations].map(([route, counts]) => ({ labels: { route }, counts })),
    },
  ]
}
