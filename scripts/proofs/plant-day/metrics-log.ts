import { percentile } from '../../../bench/measure.ts'
import type { Proof } from '../support/proof.ts'

/** One scrape of `/metrics`. */
export interface MetricsSample {
  /** Epoch milliseconds of the real clock. */
  readonly atMs: number
  /** Value by series as it is printed: name, then labels. */
  readonly values: ReadonlyMap<string, number>
}

/** What a histogram was given between two scrapes. */
export interface Observed {
  readonly count: number
  /** Of the means of what each scrape found new: one that took long on a busy machine does not move it. NaN where there was none. */
  readonly medianSeconds: number
}

const intervalMs = 500

/** Reads a plant's metrics twice a second, as Prometheus would, and keeps all of them. */
export class MetricsLog {
  readonly samples: MetricsSample[] = []
  readonly #url: string
  #timer: NodeJS.Timeout | null = null

  constructor(proof: Proof, url: string) {
    this.#url = `${url}/metrics`
    const again = (): void => {
      this.#timer = setTimeout(
        () =>
          void this.scrape()
            .catch(() => undefined)
            .finally(again),
        intervalMs,
      )
    }
    again()
    proof.onEnd(() => this.stop())
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  /** Reads them now. */
  async scrape(): Promise<MetricsSample> {
    const text = await (await fetch(this.#url)).text()
    const values = new Map<string, number>()
    for (const line of text.split('\n')) {
      const at = line.lastIndexOf(' ')
      if (line !== '' && !line.startsWith('#')) values.set(line.slice(0, at), Number(line.slice(at + 1)))
    }
    const sample = { atMs: Date.now(), values }
    this.samples.push(sample)
    return sample
  }

  /** The last sample at or before a time. @throws When there is none. */
  at(atMs: number): MetricsSample {
    const found = this.samples.findLast((sample) => sample.atMs <= atMs)
    if (found === undefined) throw new Error('no metrics were read before that time')
    return found
  }

  /** The first sample after a time for which something holds; `null` where there is none. */
  firstAfter(atMs: number, holds: (sample: MetricsSample) => boolean): MetricsSample | null {
    return this.samples.find((sample) => sample.atMs > atMs && holds(sample)) ?? null
  }

  /** What a histogram was given between two times. */
  observed(name: string, fromMs: number, toMs: number): Observed {
    const samples = [this.at(fromMs), ...this.samples.filter(({ atMs }) => atMs > fromMs && atMs <= toMs)]
    const found = samples.slice(1).flatMap((to, i) => {
      const from = samples[i] as MetricsSample
      const more = (suffix: string): number => total(to, `${name}${suffix}`) - total(from, `${name}${suffix}`)
      const count = more('_count')
      return count > 0 ? [{ count, meanSeconds: more('_sum') / count }] : []
    })
    return {
      count: found.reduce((sum, { count }) => sum + count, 0),
      medianSeconds: percentile(
        found.map(({ meanSeconds }) => meanSeconds),
        0.5,
      ),
    }
  }
}

/** The sum over the series of a metric whose labels contain all of these; 0 where there is none. */
export function total(sample: MetricsSample, name: string, ...labels: readonly string[]): number {
  let sum = 0
  for (const [series, value] of sample.values)
    if (
      (series === name || series.startsWith(`${name}{`)) &&
      labels.every((label) => series.includes(`{${label}`) || series.includes(`,${label}`))
    )
      sum += value
  return sum
}
