import { type Dashboard, lines, number, query } from './panels.ts'

const job = (metric: string): string => `max by (job_name) (flink_jobmanager_job_${metric})`

/** The plant on Kafka and Flink: what only the cluster engine has. Of topics each gateway says the same: the greatest counts, not the sum. */
export const cluster: Dashboard = {
  uid: 'millwright-cluster',
  title: 'Millwright: Kafka and Flink',
  rows: [
    {
      title: 'Job',
      panels: [
        number('Runs since', 'Of the job.', 'ms', query(job('uptime'), '{{job_name}}')),
        number('Restarts', 'Since it was deployed.', 'short', query(job('numRestarts'), '{{job_name}}')),
        number(
          'Checkpoints failed',
          'Since it was deployed.',
          'short',
          query(job('numberOfFailedCheckpoints'), '{{job_name}}'),
        ),
        number(
          'Task managers',
          'That are registered.',
          'short',
          query('max(flink_jobmanager_numRegisteredTaskManagers)', 'task managers'),
        ),
      ],
    },
    {
      title: 'Kafka',
      panels: [
        lines(
          'Behind the clock',
          'Append time that the slowest subtask has reached, against the clock: a second or two while all is well.',
          's',
          query('job_name:flink_guest_behind_seconds:max', '{{job_name}}'),
        ),
        lines(
          'Lag',
          'Offsets between what the operators committed and the end, by partition: an upper bound.',
          'short',
          query(
            'max by (topic, partition) (millwright_kafka_lag_records{instance=~"$instance"})',
            '{{topic}} {{partition}}',
          ),
        ),
        lines(
          'Appended by gateways',
          'Records a second that Kafka acknowledged.',
          'short',
          query(
            'sum by (instance) (rate(millwright_kafka_appended_records_total{instance=~"$instance"}[$__rate_interval]))',
          ),
        ),
        lines(
          'Not acknowledged',
          'Bytes that gateways took in.',
          'bytes',
          query('millwright_kafka_pending_bytes{instance=~"$instance"}'),
        ),
        lines(
          'Refused by gateways',
          'Calls a second, because too much waits.',
          'short',
          query(
            'sum by (instance) (rate(millwright_kafka_appends_refused_busy_total{instance=~"$instance"}[$__rate_interval]))',
          ),
        ),
        lines(
          'Topics grow',
          'Offsets a second, by topic.',
          'short',
          query(
            'sum by (topic) (max by (topic, partition) (rate(millwright_kafka_topic_end_offset{instance=~"$instance"}[$__rate_interval])))',
            '{{topic}}',
          ),
        ),
        lines(
          'Heartbeat, from door to alert',
          'Over Kafka and Flink: with what it takes until a checkpoint.',
          's',
          query(
            'histogram_quantile(0.99, sum by (le) (rate(millwright_heartbeat_latency_seconds_bucket{instance=~"$instance"}[$__rate_interval])))',
            '99 %',
          ),
        ),
      ],
    },
    {
      title: 'Checkpoints',
      panels: [
        lines('Duration', 'Of the last one.', 'ms', query(job('lastCheckpointDuration'), '{{job_name}}')),
        lines('Size', 'Of the last one.', 'bytes', query(job('lastCheckpointSize'), '{{job_name}}')),
        lines(
          'Completed',
          'In five minutes; thirty are due.',
          'short',
          query('max by (job_name) (increase(flink_jobmanager_job_numberOfCompletedCheckpoints[5m]))', '{{job_name}}'),
        ),
      ],
    },
    {
      title: 'Operators',
      panels: [
        lines(
          'Readings',
          'Processed a second, by subtask.',
          'short',
          query(
            'sum by (subtask_index) (rate(millwright_readings_in_total{job="flink"}[$__rate_interval]))',
            '{{subtask_index}}',
          ),
        ),
        lines(
          'Bundles',
          'Crossings into V8 a second, by subtask.',
          'short',
          query(
            'sum by (subtask_index) (rate(flink_taskmanager_job_task_operator_guest_bundles_total[$__rate_interval]))',
            '{{subtask_index}}',
          ),
        ),
        lines(
          'States read',
          'From RocksDB a second, by subtask.',
          'short',
          query(
            'sum by (subtask_index) (rate(flink_taskmanager_job_task_operator_guest_states_read_total[$__rate_interval]))',
            '{{subtask_index}}',
          ),
        ),
        lines(
          'Records held',
          'That wait for others in the order of time, by subtask.',
          'short',
          query('sum by (subtask_index) (flink_taskmanager_job_task_operator_guest_records_held)', '{{subtask_index}}'),
        ),
        lines(
          'Memory of V8',
          'Heap that is used, and array buffers outside of it, by subtask.',
          'bytes',
          query(
            'sum by (subtask_index) (flink_taskmanager_job_task_operator_guest_heap_used_bytes)',
            '{{subtask_index}} heap',
          ),
          query(
            'sum by (subtask_index) (flink_taskmanager_job_task_operator_guest_external_bytes)',
            '{{subtask_index}} array buffers',
          ),
        ),
        lines(
          'Memory of task managers',
          'Heap of the JVM that is used.',
          'bytes',
          query('flink_taskmanager_Status_JVM_Memory_Heap_Used', '{{tm_id}}'),
        ),
        lines(
          'Back pressure',
          'Share of the time, by task.',
          'percentunit',
          query('max by (task_name) (flink_taskmanager_job_task_backPressuredTimeMsPerSecond) / 1000', '{{task_name}}'),
        ),
      ],
    },
  ],
}
