import type { WindowSeries } from '@millwright/core'
import type { RawValues } from '../windows/raw-values.ts'

/**
 * Returns a window's raw values as a user's function sees them: oldest first, by time, then by arrival. The arrays are copies,
 * so that a function which writes to them changes nothing.
 *
 * @param columns Names of the wanted channels and the place of each among the kept columns.
 */
export function windowSeries(
  raw: RawValues,
  window: { readonly startMs: number; readonly endMs: number },
  columns: readonly { readonly name: string; readonly column: number }[],
): WindowSeries {
  const order = orderByTime(raw)
  const arranged = (from: Float64Array): Float64Array => {
    const to = from.slice(0, raw.count)
    if (order !== null) for (let i = 0; i < raw.count; i++) to[i] = from[order[i] as number] as number
    return to
  }
  const values: Record<string, Float64Array> = {}
  for (const { name, column } of columns) values[name] = arranged(raw.columns[column] as Float64Array)
  return { windowStart: window.startMs, windowEnd: window.endMs, timestamps: arranged(raw.timestamps), values }
}

/** Arrival indices in order of time; `null` where the readings came in that order. */
function orderByTime({ timestamps, count }: RawValues): Uint32Array | null {
  let ordered = true
  for (let i = 1; i < count && ordered; i++) ordered = (timestamps[i] as number) >= (timestamps[i - 1] as number)
  if (ordered) return null
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  // Equal times are told apart by arrival, so the order does not rest on the sort being stable.
  return order.sort((a, b) => (timestamps[a] as number) - (timestamps[b] as number) || a - b)
}
