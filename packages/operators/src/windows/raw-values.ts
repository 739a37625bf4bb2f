import { limits, type Plan } from '@millwright/core'
import { channelIndex, visitFeature } from '../accumulators/layout.ts'
import type { ByteReader } from '../byte-reader.ts'

/**
 * Which raw values a window keeps, for quantiles and users' own functions of the series: those of the channels they name;
 * timestamps only where a function of the series wants them.
 */
export interface RawLayout {
  /** Indices of the kept channels in the plan, ascending. */
  readonly channels: readonly number[]
  readonly timestamps: boolean
}

/** Returns what the plan's features need kept; `null` where they need nothing. */
export function rawLayout(plan: Plan): RawLayout | null {
  const channels = new Set<number>()
  let timestamps = false
  for (const { node } of plan.features) {
    visitFeature(node, (inner) => {
      if (inner.kind === 'quantile') channels.add(channelIndex(plan, inner.channel))
      if (inner.kind !== 'custom') return
      timestamps = true
      for (const name of inner.channels) channels.add(channelIndex(plan, name))
    })
  }
  return channels.size === 0 ? null : { channels: [...channels].sort((a, b) => a - b), timestamps }
}

/**
 * The kept readings of one window, in order of arrival: at most `windowReadingsMax`; what comes after is not kept, and the
 * caller counts it. Columns double when full. A column has `notKnown` for readings whose value an earlier plan did not keep; where that kept
 * no raw values at all, one such row stands for all readings before.
 */
export class RawValues {
  count = 0
  /** Empty where the layout keeps no timestamps. */
  timestamps: Float64Array = new Float64Array(0)
  /** One per channel of the layout; NaN = missing. */
  columns: Float64Array[]
  #capacity = 0

  constructor(channelCount: number) {
    this.columns = Array.from({ length: channelCount }, () => new Float64Array(0))
  }

  /** @param columns As long as `count`, as is `timestamps` where the layout keeps them. */
  static of(count: number, timestamps: Float64Array, columns: Float64Array[]): RawValues {
    const raw = new RawValues(0)
    raw.count = count
    raw.#capacity = count
    raw.timestamps = timestamps
    raw.columns = columns
    return raw
  }

  /** Reads what a stored state has: a count, timestamps where they are kept, then each column. */
  static read(layout: RawLayout, reader: ByteReader): RawValues {
    const count = reader.uint32()
    const timestamps = layout.timestamps ? reader.float64s(count) : new Float64Array(0)
    const columns = layout.channels.map(() => reader.float64s(count))
    return RawValues.of(count, timestamps, columns)
  }

  /** @param value The reading's value of a channel. Returns false where the window is full and the reading was not kept. */
  add(layout: RawLayout, value: (channel: number) => number, timestampMs: number): boolean {
    if (this.count >= limits.windowReadingsMax) return false
    this.reserve(layout, this.count + 1)
    for (let k = 0; k < layout.channels.length; k++)
      (this.columns[k] as Float64Array)[this.count] = value(layout.channels[k] as number)
    if (layout.timestamps) this.timestamps[this.count] = timestampMs
    this.count += 1
    return true
  }

  /** Takes over the readings of another window; returns how many there was no room for. */
  append(layout: RawLayout, other: RawValues): number {
    const taken = Math.min(other.count, limits.windowReadingsMax - this.count)
    this.reserve(layout, this.count + taken)
    for (let k = 0; k < this.columns.length; k++) {
      const from = (other.columns[k] as Float64Array).subarray(0, taken)
      ;(this.columns[k] as Float64Array).set(from, this.count)
    }
    if (layout.timestamps) this.timestamps.set(other.timestamps.subarray(0, taken), this.count)
    this.count += taken
    return other.count - taken
  }

  /** Makes room for `count` readings in all. */
  reserve(layout: RawLayout, count: number): void {
    if (count <= this.#capacity) return
    this.#capacity = Math.max(16, this.#capacity * 2, count)
    const grown = (old: Float64Array): Float64Array => {
      const column = new Float64Array(this.#capacity)
      column.set(old)
      return column
    }
    this.columns = this.columns.map(grown)
    if (layout.timestamps) this.timestamps = grown(this.timestamps)
  }
}
