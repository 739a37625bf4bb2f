/** Values of a long series, kept evenly: every one of a short series, every second, fourth… of a longer one. */
export interface ThinnedValues {
  add(value: number): void
  /** The value below which about this share of the values lies; NaN when there are none. @param q 0..1. */
  quantile(q: number): number
}

const keptMax = 65_536

/** Makes an empty series; it holds at most 65,536 values. */
export function createThinnedValues(): ThinnedValues {
  const kept = new Float64Array(keptMax)
  let keptCount = 0
  let stride = 1
  let untilNext = 0
  return {
    add(value) {
      if (untilNext > 0) {
        untilNext--
        return
      }
      untilNext = stride - 1
      kept[keptCount++] = value
      if (keptCount < keptMax) return
      for (let i = 0; 2 * i < keptMax; i++) kept[i] = kept[2 * i] as number
      keptCount = keptMax / 2
      stride *= 2
    },
    quantile(q) {
      if (keptCount === 0) return Number.NaN
      const sorted = kept.slice(0, keptCount).sort()
      return sorted[Math.round(q * (keptCount - 1))] as number
    },
  }
}
