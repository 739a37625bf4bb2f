import type { DurationCounts, OperatorCounters } from '@millwright/core'
import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client'

/** Labels and their values: fixed sets, never devices. */
type Labels = Readonly<Record<string, string>>

/** A number that is read when the metrics are asked for. */
export interface GaugeReading {
  readonly name: string
  readonly help: string
  /** Default: gauge. A counter never falls; it may begin anew with the process. Its name ends in `_total`. */
  readonly kind?: 'counter' | 'gauge'
  readonly values: readonly { readonly labels: Labels; readonly value: number }[]
}

/** Durations that are read when the metrics are asked for; written in seconds. */
export interface HistogramReading {
  readonly name: string
  readonly help: string
  readonly values: readonly { readonly labels: Labels; readonly counts: DurationCounts }[]
}

/** Where the numbers are. */
export interface MetricSources {
  /** By name, with labels folded in. */
  readonly counters?: () => OperatorCounters
  readonly gauges?: () => readonly GaugeReading[]
  readonly histograms?: () => readonly HistogramReading[]
}

const prefix = 'millwright_'
const gaugesCalledTotal = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
]

/** Renders what the plant counts in the text format of Prometheus, with the process's own metrics beside it. */
export class PlantMetrics {
  readonly #registry = new Registry()
  readonly #sources: MetricSources
  readonly #made = new Map<string, Counter | Gauge>()
  readonly #histograms = new Map<string, GivenHistogram>()

  constructor(sources: MetricSources) {
    this.#sources = sources
    collectDefaultMetrics({ register: this.#registry })
    // Gauges that are called as counters are.
    for (const name of gaugesCalledTotal) this.#registry.removeSingleMetric(name)
  }

  async render(): Promise<string> {
    const { counters, gauges, histograms } = this.#sources
    // The truth is elsewhere: what the library holds is set anew each time.
    for (const metric of this.#made.values()) metric.reset()
    for (const histogram of this.#histograms.values()) histogram.reset()
    for (const [key, value] of Object.entries(counters?.() ?? {})) {
      const { name, labels } = unfold(key)
      const counter = this.#metric(`${prefix}${name}`, counterHelp(name), Object.keys(labels), 'counter')
      if (counter instanceof Counter) counter.inc(labels, value)
    }
    for (const { name, help, kind = 'gauge', values } of gauges?.() ?? [])
      for (const { labels, value } of values) {
        const metric = this.#metric(`${prefix}${name}`, help, Object.keys(labels), kind)
        if (metric instanceof Gauge) metric.set(labels, value)
        else metric.inc(labels, value)
      }
    for (const { name, help, values } of histograms?.() ?? []) this.#histogram(`${prefix}${name}`, help).values = values
    return this.#registry.metrics()
  }

  #metric(name: string, help: string, labelNames: readonly string[], kind: 'counter' | 'gauge'): Counter | Gauge {
    const known = this.#made.get(name)
    if (known !== undefined) return known
    const configuration = { name, help, labelNames: [...labelNames], registers: [this.#registry] }
    const metric = kind === 'counter' ? new Counter(configuration) : new Gauge(configuration)
    this.#made.set(name, metric)
    return metric
  }

  #histogram(name: string, help: string): GivenHistogram {
    const known = this.#histograms.get(name)
    if (known !== undefined) return known
    const histogram = new GivenHistogram(name, help)
    // The library's own observes one duration at a time; the registry asks a metric for no more than this one has.
    this.#registry.registerMetric(histogram as unknown as Metric)
    this.#histograms.set(name, histogram)
    return histogram
  }
}

/** A histogram whose counts were made elsewhere, as the library's registry renders it. */
class GivenHistogram {
  readonly name: string
  readonly help: string
  readonly type = 'histogram'
  readonly aggregator = 'sum'
  values: HistogramReading['values'] = []

  constructor(name: string, help: string) {
    this.name = name
    this.help = help
  }

  reset(): void {
    this.values = []
  }

  async get(): Promise<object> {
    const { name, help, type, aggregator } = this
    const values = this.values.flatMap(({ labels, counts: { boundsMs, counts, sumMs } }) => [
      ...counts.map((value, index) => {
        const bound = boundsMs[index]
        const le = bound === undefined ? '+Inf' : String(bound / 1000)
        return { metricName: `${name}_bucket`, labels: { ...labels, le }, value }
      }),
      { metricName: `${name}_sum`, labels, value: sumMs / 1000 },
      { metricName: `${name}_count`, labels, value: counts.at(-1) ?? 0 },
    ])
    return { name, help, type, aggregator, values }
  }
}

/** Takes `dropped_total{rule="x"}` apart. Label values never hold a quote: they are checked names and fixed codes. */
function unfold(key: string): { name: string; labels: Record<string, string> } {
  const brace = key.indexOf('{')
  if (brace < 0) return { name: key, labels: {} }
  const pairs = [...key.slice(brace).matchAll(/(\w+)="([^"]*)"/g)].map((match): [string, string] => [
    match[1] ?? '',
    match[2] ?? '',
  ])
  return { name: key.slice(0, brace), labels: Object.fromEntries(pairs) }
}

/** `late_readings_total` says what it counts; the sentence makes it readable in a browser of metrics. */
function counterHelp(name: string): string {
  return `${name.replace(/_total$/, '').replaceAll('_', ' ')}, counted by the operators since the data folder was made`
}
