import type { OperatorCounters } from '@millwright/core'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'

/** A number that is read when the metrics are asked for. */
export interface GaugeReading {
  readonly name: string
  readonly help: string
  /** Default: gauge. A counter never falls; it may begin anew with the process. */
  readonly kind?: 'counter' | 'gauge'
  readonly values: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

const prefix = 'millwright_'

/** Renders what the plant counts in the text format of Prometheus, with the process's own metrics beside it. */
export class PlantMetrics {
  readonly #registry = new Registry()
  readonly #counters: () => OperatorCounters
  readonly #gauges: () => readonly GaugeReading[]
  readonly #made = new Map<string, Counter | Gauge>()

  constructor(counters: () => OperatorCounters, gauges: () => readonly GaugeReading[]) {
    this.#counters = counters
    this.#gauges = gauges
    collectDefaultMetrics({ register: this.#registry })
  }

  async render(): Promise<string> {
    // The truth is elsewhere: what the library holds is set anew each time.
    for (const metric of this.#made.values()) metric.reset()
    for (const [key, value] of Object.entries(this.#counters())) {
      const { name, labels } = unfold(key)
      const counter = this.#metric(`${prefix}${name}`, counterHelp(name), Object.keys(labels), 'counter')
      if (counter instanceof Counter) counter.inc(labels, value)
    }
    for (const { name, help, kind = 'gauge', values } of this.#gauges())
      for (const { labels, value } of values) {
        const metric = this.#metric(`${prefix}${name}`, help, Object.keys(labels), kind)
        if (metric instanceof Gauge) metric.set(labels, value)
        else metric.inc(labels, value)
      }
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
