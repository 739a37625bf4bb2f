import { expect, test } from 'vitest'
import { openMetricsOf, prefersOpenMetrics } from './exposition.ts'

test('prefersOpenMetrics() follows the header as Prometheus sends it, and is false where nothing asks for it', () => {
  const prometheus =
    'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2'
  expect(prefersOpenMetrics(prometheus)).toBe(true)
  for (const accept of [undefined, '', '*/*', 'text/html,*/*;q=0.8', 'text/plain, application/openmetrics-text;q=0.1'])
    expect(prefersOpenMetrics(accept)).toBe(false)
  expect(prefersOpenMetrics('application/openmetrics-text; q=0')).toBe(false)
  expect(prefersOpenMetrics('Application/OpenMetrics-Text')).toBe(true)
})

test('openMetricsOf() names counters without their suffix, leaves samples as they are, and marks the end', () => {
  const text = [
    '# HELP a_total things',
    '# TYPE a_total counter',
    'a_total{of="x"} 3',
    '',
    '# HELP b gauge of a_total',
    '# TYPE b gauge',
    'b 1.5',
    '',
  ].join('\n')
  expect(openMetricsOf(text)).toBe(
    '# HELP a things\n# TYPE a counter\na_total{of="x"} 3\n# HELP b gauge of a_total\n# TYPE b gauge\nb 1.5\n# EOF\n',
  )
})
