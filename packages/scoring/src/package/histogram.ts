import { assert, limits } from '@millwright/core'

/**
 * How often values fell where, in training: what live values are compared with for drift.
 *
 * Bin 0 counts values below `edges[0]`, bin i those from `edges[i - 1]` up to but not `edges[i]`, the last one those from
 * the last edge on; so there is one bin more than edges, and every value has a bin. Missing values are counted apart.
 */
export interface Histogram {
  /** Strictly ascending float32 values. */
  readonly edges: readonly number[]
  readonly counts: readonly number[]
  readonly missing: number
  /** Least and greatest value; `null` where all are missing. */
  readonly min: number | null
  readonly max: number | null
}

/**
 * Makes a histogram whose edges are quantiles of the values, so that bins hold about equally many: fewer where values
 * repeat. A constant gets a bin of its own between two empty ones, so that leaving it is seen.
 *
 * @param values Finite; NaN is missing.
 * @param binCount Most bins, 2 to `histogramBinsMax`.
 */
export function makeHistogram(values: Float32Array, binCount: number): Histogram {
  assert(
    Number.isInteger(binCount) && binCount >= 2 && binCount <= limits.histogramBinsMax,
    'a histogram has 2 to 256 bins',
  )
  // A typed array sorts by number, and puts NaN last.
  const sorted = values.slice().sort()
  let valueCount = sorted.length
  while (valueCount > 0 && Number.isNaN(sorted[valueCount - 1])) valueCount -= 1
  const missing = sorted.length - valueCount
  if (valueCount === 0) return { edges: [], counts: [0], missing, min: null, max: null }
  const min = sorted[0] as number
  const max = sorted[valueCount - 1] as number
  assert(Number.isFinite(min) && Number.isFinite(max), 'what a model is trained on is finite')
  const edges: number[] = []
  if (min === max) {
    edges.push(min)
    // Above the greatest float32 nothing is left to be told apart.
    if (Number.isFinite(nextAbove(min))) edges.push(nextAbove(min))
  } else {
    for (let bin = 1; bin < binCount; bin++) {
      const edge = sorted[Math.floor((bin * valueCount) / binCount)] as number
      // An edge at the least value would cut off an empty bin.
      if (edge > (edges.at(-1) ?? min)) edges.push(edge)
    }
  }
  const counts = new Array<number>(edges.length + 1).fill(0)
  let bin = 0
  for (let i = 0; i < valueCount; i++) {
    while (bin < edges.length && (sorted[i] as number) >= (edges[bin] as number)) bin += 1
    counts[bin] = (counts[bin] as number) + 1
  }
  return { edges, counts, missing, min, max }
}

/** Bin of a value that is not NaN. */
export function binOf(histogram: Histogram, value: number): number {
  let low = 0
  let high = histogram.edges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (value >= (histogram.edges[middle] as number)) low = middle + 1
    else high = middle
  }
  return low
}

function nextAbove(value: number): number {
  const single = Float32Array.of(value + 0)
  const bits = new Int32Array(single.buffer)
  bits[0] = (bits[0] as number) + ((bits[0] as number) >= 0 ? 1 : -1)
  return single[0] as number
}
