import type { OutputSink, PartitionOperator, Plan } from '@millwright/core'
import { createPartitionOperator, createReadingDecoder } from '@millwright/operators'

/** Makes the pipeline of one partition (or of a whole file) for a plan. */
export function buildOperator(plan: Plan, sink: OutputSink): PartitionOperator {
  const decoder = createReadingDecoder({
    channels: plan.channels.map((channel) => channel.name),
    timestamp: plan.time.timestamp,
    devicesMax: plan.time.devicesMax,
  })
  return createPartitionOperator({ plan, decoder, sink })
}
