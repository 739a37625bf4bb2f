import { type Dashboard, lines, number, quantile, query } from './panels.ts'

/** At a glance: is it alive, do readings flow, can the model be trusted. */
export const plant: Dashboard = {
  uid: 'millwright-plant',
  title: 'Millwright: plant',
  rows: [
    {
      title: 'Alive',
      panels: [
        number(
          'Answers',
          'Whether the metrics of the plant can be read.',
          'bool_yes_no',
          query('up{job="millwright",instance=~"$instance"}'),
        ),
        number(
          'Heartbeat, last seen',
          'Since a reading of the plant itself came through to an alert.',
          's',
          query('millwright_heartbeat_age_seconds{instance=~"$instance"}'),
        ),
        number(
          'Model in force',
          'Whether windows that close now are scored.',
          'bool_yes_no',
          query('millwright_model_in_force{instance=~"$instance"}'),
        ),
        number(
          'Machines',
          'Not forgotten; the heartbeat is one of them. On Flink: known to the job.',
          'short',
          query(
            'sum by (instance) (millwright_devices{instance=~"$instance"}) or sum by (job_name) (flink_taskmanager_job_task_operator_guest_keys{instance=~"$instance"})',
            '{{instance}}{{job_name}}',
          ),
        ),
        number(
          'Machines silent',
          'Of which nothing was heard for longer than the project allows.',
          'short',
          query('millwright_machines_silent{instance=~"$instance"}'),
        ),
        number(
          'Alerts about the system',
          'That fire now, in Prometheus.',
          'short',
          query('count(ALERTS{alertstate="firing"}) or vector(0)', 'firing'),
        ),
      ],
    },
    {
      title: 'Flow',
      panels: [
        lines(
          'Readings',
          'Lines of sensor-data a second, without the heartbeat.',
          'short',
          query('sum by (instance) (rate(millwright_readings_in_total{instance=~"$instance"}[$__rate_interval]))'),
        ),
        lines(
          'Windows at high risk',
          'An hour, by what was scored.',
          'short',
          query('sum by (instance) (increase(millwright_alerts_high_total{instance=~"$instance"}[1h]))'),
        ),
        lines(
          'Refused, dropped, late',
          'Readings a second that are in no window.',
          'short',
          query('sum(rate(millwright_dead_letters_total{instance=~"$instance"}[$__rate_interval]))', 'dead letters'),
          query('sum(rate(millwright_readings_dropped_total{instance=~"$instance"}[$__rate_interval]))', 'dropped'),
          query('sum(rate(millwright_late_readings_total{instance=~"$instance"}[$__rate_interval]))', 'late'),
        ),
        lines(
          'Heartbeat, from door to alert',
          'The median and the slowest of a hundred.',
          's',
          query(quantile(0.5, 'millwright_heartbeat_latency_seconds'), 'median'),
          query(quantile(0.99, 'millwright_heartbeat_latency_seconds'), '99 %'),
        ),
        lines(
          'Waiting to be processed',
          'Records that are in the log and not processed; on Kafka offsets that the job has not committed.',
          'short',
          query(
            'sum by (instance) (millwright_lag_records{instance=~"$instance"}) or sum by (topic) (max by (topic, partition) (millwright_kafka_lag_records{instance=~"$instance"}))',
            '{{instance}}{{topic}}',
          ),
        ),
        lines(
          'Machines fell silent',
          'Times in a quarter of an hour.',
          'short',
          query('sum by (instance) (increase(millwright_quality_silences_total{instance=~"$instance"}[15m]))'),
        ),
      ],
    },
    {
      title: 'Room',
      panels: [
        lines(
          'Disk',
          'Of the data folder, and free beside it.',
          'bytes',
          query('millwright_disk_used_bytes{instance=~"$instance"}', 'used {{instance}}'),
          query('millwright_disk_budget_bytes{instance=~"$instance"}', 'budget {{instance}}'),
          query('millwright_disk_free_bytes{instance=~"$instance"}', 'free {{instance}}'),
        ),
        lines(
          'Memory',
          'Of the process.',
          'bytes',
          query('process_resident_memory_bytes{job="millwright",instance=~"$instance"}'),
        ),
        lines(
          'Processor',
          'Cores used by the process.',
          'short',
          query('rate(process_cpu_seconds_total{job="millwright",instance=~"$instance"}[$__rate_interval])'),
        ),
      ],
    },
  ],
}
