/** Counts of durations by upper bound, as Prometheus has them. */
export interface DurationCounts {
  /** Upper bounds in milliseconds, ascending. */
  readonly boundsMs: readonly number[]
  /** Durations at or below each bound; one more entry for all. */
  readonly counts: readonly number[]
  readonly sumMs: number
}

/** Gathers durations in fixed steps, by default from a half millisecond to ten seconds. */
export class DurationHistogram {
  static readonly boundsMs: readonly number[] = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]
  readonly #boundsMs: readonly number[]
  readonly #counts: number[]
  #sumMs = 0

  /** @param boundsMs Upper bounds in milliseconds, ascending. */
  constructor(boundsMs: readonly number[] = DurationHistogram.boundsMs) {
    this.#boundsMs = boundsMs
    this.#counts = new Array<number>(boundsMs.length + 1).fill(0)
  }

  /**
   * @param durationMs 0 or more.
   * @param count So many of them, 1 or more.
   */
  add(durationMs: number, count = 1): void {
    const bucket = this.#boundsMs.findIndex((bound) => durationMs <= bound)
    const place = bucket === -1 ? this.#counts.length - 1 : bucket
    this.#counts[place] = (this.#counts[place] ?? 0) + count
    this.#sumMs += count * durationMs
  }

  read(): DurationCounts {
    let total = 0
    const counts = this.#counts.map((count) => {
      total += count
      return total
    })
    return { boundsMs: this.#boundsMs, counts, sumMs: this.#sumMs }
  }
}
