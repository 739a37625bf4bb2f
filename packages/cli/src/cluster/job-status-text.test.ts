import type { JobStatus } from '@millwright/cluster'
import { expect, test } from 'vitest'
import { jobStatusText } from './job-status-text.ts'

const position = { topic: 'sensor-data', partition: 0, offset: 1202, timeReachedMs: null }
const status: JobStatus = {
  jobId: 'f00d',
  name: 'presses',
  state: 'RUNNING',
  startedAtMs: 0,
  release: null,
  digest: null,
  parallelism: 1,
  subtasksRunning: 2,
  subtasks: 2,
  checkpoints: { completed: 0, failed: 0, latest: null, latestFailure: null },
  restarts: null,
  failures: [],
  recordsIn: null,
  recordsOut: null,
  positions: [position, { ...position, partition: 1, offset: -1 }],
  recordsWaiting: null,
  watermarkMs: null,
  recordsHeld: null,
  slowest: null,
  devices: null,
  heapBytes: null,
  externalBytes: null,
}

function partitionLines(...of: Parameters<typeof jobStatusText>): string[] {
  return jobStatusText(...of)
    .split('\n')
    .filter((line) => line.startsWith('  '))
    .map((line) => line.trim().replace(/ {2,}/, ': '))
}

test('jobStatusText() says of each partition how far it is behind where Kafka was asked', () => {
  const lags = [1234, 0, null].map((lag, partition) => ({ topic: 'sensor-data', partition, endOffset: 9999, lag }))
  expect(partitionLines(status, lags, 0)).toEqual([
    'sensor-data 0: read to offset 1 202, lag 1 234',
    'sensor-data 1: nothing read since the job, or its last restart, began, lag 0',
    'sensor-data 2: Flink does not tell where it is read, lag not known',
  ])
})

test('jobStatusText() says how to ask for the lag where Kafka was not asked', () => {
  expect(partitionLines(status, null, 0)).toEqual([
    'sensor-data 0: read to offset 1 202',
    'sensor-data 1: nothing read since the job, or its last restart, began',
    'lag: of each partition: with --kafka HOST:PORT,…',
  ])
})
