import { type Dashboard, lines, quantile, query } from './panels.ts'

const rate = (metric: string, by = 'instance', matchers = ''): string =>
  `sum by (${by}) (rate(${metric}{instance=~"$instance"${matchers}}[$__rate_interval]))`
const gauge = (metric: string): string => `${metric}{instance=~"$instance"}`

/** Does the pipeline keep up, and where is it held up. */
export const pipeline: Dashboard = {
  uid: 'millwright-pipeline',
  title: 'Millwright: pipeline',
  rows: [
    {
      title: 'Door',
      panels: [
        lines(
          'Requests',
          'A second, by route and status.',
          'reqps',
          query(rate('millwright_http_requests_total', 'route, status'), '{{route}} {{status}}'),
        ),
        lines(
          'Refused requests',
          'A second, by reason.',
          'reqps',
          query(rate('millwright_http_problems_total', 'code'), '{{code}}'),
        ),
        lines('Requests in flight', 'Not answered yet.', 'short', query(gauge('millwright_http_requests_in_flight'))),
        lines(
          'Time to the answer',
          'The slowest of a hundred, by route.',
          's',
          query(quantile(0.99, 'millwright_http_request_duration_seconds', 'route'), '{{route}}'),
        ),
        lines(
          'Records taken and refused',
          'A second.',
          'short',
          query(rate('millwright_http_accepted_total', 'topic'), 'taken {{topic}}'),
          query(rate('millwright_http_refused_total', 'topic'), 'refused {{topic}}'),
        ),
        lines('Bytes received', 'A second, decompressed.', 'Bps', query(rate('millwright_http_received_bytes_total'))),
      ],
    },
    {
      title: 'Log',
      panels: [
        lines('Appended', 'Records a second.', 'short', query(rate('millwright_appended_records_total'))),
        lines(
          'Commit',
          'From the write of a group of appends to its sync.',
          's',
          query(quantile(0.5, 'millwright_commit_duration_seconds'), 'median'),
          query(quantile(0.99, 'millwright_commit_duration_seconds'), '99 %'),
        ),
        lines(
          'Waiting for the disk and the operators',
          'Bytes.',
          'bytes',
          query(gauge('millwright_unsynced_bytes'), 'not synced'),
          query(gauge('millwright_backlog_bytes'), 'not processed'),
        ),
        lines(
          'Appends refused',
          'A second, by reason.',
          'short',
          query(rate('millwright_appends_refused_total', 'reason'), '{{reason}}'),
        ),
        lines(
          'Age of the newest record',
          'By partition; about a second where nothing comes.',
          's',
          query(gauge('millwright_log_clock_delay_seconds'), '{{partition}}'),
        ),
        lines(
          'Clock behind the log',
          'Above 0: it was set back.',
          's',
          query(gauge('millwright_clock_behind_seconds')),
        ),
      ],
    },
    {
      title: 'Operators',
      panels: [
        lines('Lag', 'Records, by partition.', 'short', query(gauge('millwright_lag_records'), '{{partition}}')),
        lines(
          'From append to durable alert',
          'Of the windows that closed.',
          's',
          query(quantile(0.5, 'millwright_window_latency_seconds'), 'median'),
          query(quantile(0.99, 'millwright_window_latency_seconds'), '99 %'),
        ),
        lines(
          'Windows closed',
          'A second.',
          'short',
          query(rate('millwright_windows_closed_total'), 'closed'),
          query(rate('millwright_window_revisions_total'), 'given again'),
          query(rate('millwright_windows_unscored_total'), 'not scored'),
        ),
        lines(
          'Partitions that stand',
          'Held up by the disk.',
          'short',
          query('sum by (instance) (millwright_partition_stalled{instance=~"$instance"})'),
        ),
        lines(
          'Age of the snapshot',
          'By partition; due every ten seconds.',
          's',
          query(gauge('millwright_snapshot_age_seconds'), '{{partition}}'),
        ),
        lines(
          'Snapshots',
          'How long the last one took, and how many failed in a quarter of an hour.',
          'short',
          query(gauge('millwright_snapshot_duration_seconds'), 'seconds {{partition}}'),
          query('sum(increase(millwright_snapshots_failed_total{instance=~"$instance"}[15m]))', 'failed'),
        ),
        lines(
          'Size of the snapshot',
          'What a recovery reads.',
          'bytes',
          query(gauge('millwright_snapshot_bytes'), '{{partition}}'),
        ),
      ],
    },
    {
      title: 'Process and machine',
      panels: [
        lines(
          'Event loop',
          'How late the main thread comes to its work.',
          's',
          query('nodejs_eventloop_lag_p99_seconds{job="millwright",instance=~"$instance"}', '99 %'),
          query('nodejs_eventloop_lag_p50_seconds{job="millwright",instance=~"$instance"}', 'median'),
        ),
        lines(
          'Garbage collection',
          'Share of the time.',
          'percentunit',
          query(
            'sum by (instance) (rate(nodejs_gc_duration_seconds_sum{job="millwright",instance=~"$instance"}[$__rate_interval]))',
          ),
        ),
        lines(
          'Heap of the main thread',
          'Used.',
          'bytes',
          query('nodejs_heap_size_used_bytes{job="millwright",instance=~"$instance"}'),
        ),
        lines(
          'Processors',
          'Share that is busy, of the machine.',
          'percentunit',
          query(
            '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle",instance=~"$instance"}[$__rate_interval]))',
          ),
        ),
        lines(
          'Memory left',
          'Of the machine.',
          'bytes',
          query('node_memory_MemAvailable_bytes{instance=~"$instance"}'),
        ),
        lines(
          'Disk written',
          'Bytes a second, of the machine.',
          'Bps',
          query('sum by (instance) (rate(node_disk_written_bytes_total{instance=~"$instance"}[$__rate_interval]))'),
        ),
      ],
    },
  ],
}
