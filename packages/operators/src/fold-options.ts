import { assert, limits, type Plan } from '@millwright/core'
import { type FoldOptions, foldRowsMax, ringReadings } from '@millwright/kernels'
import type { AccumulatorLayout } from './accumulators/layout.ts'
import { cleaningRanges } from './cleaning.ts'
import { windowsPerReading } from './windows/windows-kept.ts'

assert(limits.batchRowsMax <= foldRowsMax, 'the fold has room for a batch')
assert(
  limits.redeliveryReadings === ringReadings,
  "a device's ring holds as many readings as a redelivery is compared with",
)

/** Returns what the fold must know of a plan. */
export function foldOptions(plan: Plan, { channels, fieldCount }: AccumulatorLayout): FoldOptions {
  const { timestamp, maxJumpMs, maxClockAheadMs, silentAfterMs } = plan.time
  return {
    channelCount: plan.channels.length,
    rules: cleaningRanges(plan),
    accumulators: channels,
    accumulatorFields: fieldCount,
    windowsPerReading: windowsPerReading(plan),
    arrival: timestamp === 'arrival',
    maxJumpMs,
    maxClockAheadMs,
    silentAfterMs,
  }
}
