import { type Dashboard, lines, query } from './panels.ts'

const rate = (metric: string, by: string): string =>
  `sum by (${by}) (rate(${metric}{instance=~"$instance"}[$__rate_interval]))`
const share = (metric: string, by: string): string =>
  `sum by (${by}) (increase(${metric}{instance=~"$instance"}[1h])) / scalar(sum(increase(millwright_quality_windows_total{instance=~"$instance"}[1h])))`

/** What is wrong with what machines send. */
export const dataQuality: Dashboard = {
  uid: 'millwright-data-quality',
  title: 'Millwright: data quality',
  rows: [
    {
      title: 'Refused and dropped',
      panels: [
        lines(
          'Dead letters',
          'A second, by reason.',
          'short',
          query(rate('millwright_dead_letters_total', 'reason'), '{{reason}}'),
        ),
        lines(
          'Dropped by cleaning',
          'Readings a second, by rule.',
          'short',
          query(rate('millwright_readings_dropped_total', 'rule'), '{{rule}}'),
        ),
        lines(
          'Late',
          'Share of the readings.',
          'percentunit',
          query(
            'sum by (instance) (rate(millwright_late_readings_total{instance=~"$instance"}[$__rate_interval])) / (sum by (instance) (rate(millwright_readings_in_total{instance=~"$instance"}[$__rate_interval])) > 0)',
          ),
        ),
        lines(
          'Delivered again',
          'Readings a second, dropped as copies.',
          'short',
          query(rate('millwright_redelivered_total', 'instance')),
        ),
        lines(
          'Clocks and forms',
          'Readings refused in an hour whose machine is known.',
          'short',
          query('sum by (of) (increase(millwright_quality_refused_total{instance=~"$instance"}[1h]))', '{{of}}'),
        ),
      ],
    },
    {
      title: 'Channels',
      panels: [
        lines(
          'Missing',
          'Share of the windows of an hour without a value, by channel.',
          'percentunit',
          query(share('millwright_quality_missing_windows_total', 'channel'), '{{channel}}'),
        ),
        lines(
          'Out of range',
          'Share of the windows of an hour, by channel.',
          'percentunit',
          query(share('millwright_quality_out_of_range_windows_total', 'channel'), '{{channel}}'),
        ),
        lines(
          'Flat',
          'Share of the windows of an hour at the end of a long row without change, by channel.',
          'percentunit',
          query(share('millwright_quality_flat_windows_total', 'channel'), '{{channel}}'),
        ),
      ],
    },
    {
      title: 'Machines',
      panels: [
        lines('Silent', 'Machines now.', 'short', query('millwright_machines_silent{instance=~"$instance"}')),
        lines(
          'Fell silent',
          'Times in a quarter of an hour.',
          'short',
          query('sum by (instance) (increase(millwright_quality_silences_total{instance=~"$instance"}[15m]))'),
        ),
        lines(
          'Fewer or more readings than usual',
          'Windows in an hour with under half, or over twice.',
          'short',
          query('sum(increase(millwright_quality_short_windows_total{instance=~"$instance"}[1h]))', 'under half'),
          query('sum(increase(millwright_quality_long_windows_total{instance=~"$instance"}[1h]))', 'over twice'),
        ),
      ],
    },
  ],
}
