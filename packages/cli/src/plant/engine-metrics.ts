import type { Plan } from '@millwright/core'
import type { EngineStats, PartitionStats } from '@millwright/engine'
import type { GaugeReading, HistogramReading } from './metrics.ts'

/** How the engine is. Labels are partitions. @param nowMs Epoch milliseconds. */
export function engineGauges(stats: EngineStats, plan: Plan, nowMs: number): GaugeReading[] {
  const plain = (name: string, help: string, value: number): GaugeReading => ({
    name,
    help,
    values: [{ labels: {}, value }],
  })
  const counter = (name: string, help: string, value: number): GaugeReading => ({
    ...plain(name, help, value),
    kind: 'counter',
  })
  const perPartition = (
    name: string,
    help: string,
    read: (partition: PartitionStats) => number | null,
    kind: 'gauge' | 'counter' = 'gauge',
  ): GaugeReading => ({
    name,
    help,
    kind,
    values: stats.partitions.flatMap((partition) => {
      const value = read(partition)
      return value === null ? [] : [{ labels: { partition: String(partition.partition) }, value }]
    }),
  })
  return [
    perPartition('lag_records', 'records in the log that are not processed yet', (p) => p.lagRecords),
    perPartition('lag_bytes', 'bytes in the log that are not processed yet', (p) => p.lagBytes),
    perPartition('log_clock_delay_seconds', 'since the newest record of the log was appended', (p) =>
      p.endOffset === 0 ? null : Math.max(0, nowMs - p.appendTimeMs) / 1000,
    ),
    perPartition('partition_stalled', 'whether the disk keeps the partition from being processed: 1 or 0', (p) =>
      p.stalled === null ? 0 : 1,
    ),
    perPartition('devices', 'devices that are not forgotten', (p) => p.deviceCount),
    perPartition('snapshot_age_seconds', 'since the last snapshot was durable', (p) =>
      p.snapshot.ageMs === null ? null : p.snapshot.ageMs / 1000,
    ),
    perPartition('snapshot_duration_seconds', 'of the last snapshot', (p) => p.snapshot.durationMs / 1000),
    perPartition('snapshot_bytes', 'of all files that a recovery reads', (p) => p.snapshot.byteLength),
    perPartition('snapshots_total', 'snapshots taken since the start', (p) => p.snapshot.count, 'counter'),
    perPartition('snapshots_failed_total', 'that failed since the start', (p) => p.snapshot.failedCount, 'counter'),
    plain('unsynced_bytes', 'accepted at the door and not yet on disk', stats.unsyncedBytes),
    plain('backlog_bytes', 'durable in the log and not yet processed', stats.backlogBytes),
    plain('appends_pending', 'appends that wait to be durable', stats.pendingAppends),
    counter('appended_records_total', 'records appended since the start', stats.appendedRecords),
    counter('appended_bytes_total', 'bytes appended since the start', stats.appendedBytes),
    {
      name: 'appends_refused_total',
      help: 'appends refused since the start: too much waits, or the disk is full',
      kind: 'counter',
      values: [
        { labels: { reason: 'busy' }, value: stats.refusedBusy },
        { labels: { reason: 'disk-full' }, value: stats.refusedDiskFull },
      ],
    },
    plain('disk_used_bytes', 'of the data folder', stats.diskBytes),
    plain('disk_budget_bytes', 'that the data folder may take', plan.retention.diskBytesMax),
    plain('disk_free_bytes', 'on the file system of the data folder', stats.diskFreeBytes),
    counter('retired_segments_total', 'segments that retention removed since the start', stats.retiredSegments),
    plain('clock_behind_seconds', 'how far the clock is behind the log', stats.clockBehindMs / 1000),
  ]
}

/** How long the engine takes. */
export function engineHistograms({ alertLatency, commit }: EngineStats): HistogramReading[] {
  return [
    {
      name: 'window_latency_seconds',
      help: 'of each result, from the append of the record that closed its window until it is durable',
      values: [...alertLatency].map(([partition, counts]) => ({ labels: { partition: String(partition) }, counts })),
    },
    {
      name: 'commit_duration_seconds',
      help: 'of each group of appends, from its write to its sync',
      values: [{ labels: {}, counts: commit }],
    },
  ]
}
