/** The two formats that Prometheus reads, and which of them a client wants. */

/** Source: prometheus.io, "Exposition formats". */
export const prometheusType = 'text/plain; version=0.0.4; charset=utf-8'
/** Source: the OpenMetrics specification, version 1.0.0, "Overall structure". */
export const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/**
 * Whether a client would rather have OpenMetrics than the text format of Prometheus.
 *
 * @param accept The header; `undefined` where there is none: then it would not.
 */
export function prefersOpenMetrics(accept: string | undefined): boolean {
  let openMetrics = 0
  let plain = 0
  for (const range of (accept ?? '').toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1)
    if (Number.isNaN(quality)) continue
    if (type === 'application/openmetrics-text') openMetrics = Math.max(openMetrics, quality)
    if (type === 'text/plain' || type === 'text/*' || type === '*/*') plain = Math.max(plain, quality)
  }
  return openMetrics > 0 && openMetrics >= plain
}

/**
 * Writes Prometheus's text format as OpenMetrics: a counter's family is named without `_total`, no line is empty, and an end is marked.
 *
 * @param text In which every counter's name ends in `_total`, as names of this project and of prom-client do.
 */
export function openMetricsOf(text: string): string {
  const lines = text.split('\n').filter((line) => line !== '')
  const counters = new Set(lines.flatMap((line) => /^# TYPE (\w+)_total counter$/.exec(line)?.[1] ?? []))
  const renamed = lines.map((line) => {
    const match = /^(# (?:HELP|TYPE) )(\w+)_total( .*)$/.exec(line)
    return match !== null && counters.has(match[2] ?? '') ? `${match[1]}${match[2]}${match[3]}` : line
  })
  return `${renamed.join('\n')}\n# EOF\n`
}
