import type { ClusterStatus } from './cluster-status.ts'
import { brokerCount, slotsPerTaskManager, taskManagerCount } from './roles.ts'

/** Prints a cluster for a person: one line a process, then what Kafka and Flink say. */
export function statusText(status: ClusterStatus): string {
  const rows = [
    ['process', 'pid', 'up', 'memory', 'ports', 'log'],
    ...status.processes.map(({ role, pid, upSeconds, residentBytes, ports, logFile }) => [
      role,
      pid === null ? 'dead' : String(pid),
      upSeconds === null ? '–' : spanText(upSeconds),
      residentBytes === null ? '–' : `${Math.round(residentBytes / 1e6)} MB`,
      ports.join(' '),
      logFile,
    ]),
  ]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return `${[...lines, '', kafkaText(status), flinkText(status), `Folder: ${status.folder}`].join('\n')}\n`
}

function kafkaText({ kafka, bootstrapServers, secureBootstrapServers }: ClusterStatus): string {
  const secure = secureBootstrapServers === null ? '' : `\n  with SASL and TLS: ${secureBootstrapServers.join(',')}`
  const view =
    'error' in kafka
      ? kafka.error
      : `${kafka.brokers.length} of ${brokerCount} brokers, ${kafka.votersInTouch.length} of ${kafka.voters.length} controllers in touch, ${kafka.leader === null ? 'none leads' : `${kafka.leader} leads`}`
  return `Kafka: ${bootstrapServers.join(',')}\n  ${view}${secure}`
}

function flinkText({ flink, flinkUrl }: ClusterStatus): string {
  const view =
    'error' in flink
      ? flink.error
      : `${flink.taskManagerCount} of ${taskManagerCount} task managers, ${flink.freeSlotCount} of ${taskManagerCount * slotsPerTaskManager} slots free, ${flink.runningJobCount} jobs running`
  return `Flink: ${flinkUrl}\n  ${view}`
}

/** Prints a span: `42 s`, `7 min`, `3 h 5 min`. */
export function spanText(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
