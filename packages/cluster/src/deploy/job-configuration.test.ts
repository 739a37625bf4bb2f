import { ConfigurationError } from '@millwright/core'
import { expect, test } from 'vitest'
import { clusterFolder } from '../development/cluster-folder.ts'
import { defaultSwitches } from '../development/cluster-settings.ts'
import { flinkSettings } from '../development/flink-process.ts'
import { jobConfiguration } from './job-configuration.ts'

const folders = {
  'execution.checkpointing.dir': 's3://plant/checkpoints',
  'execution.checkpointing.savepoint-dir': 's3://plant/savepoints',
}

test('a Flink that says nothing but where state lies: the job brings checkpoints of its own', () => {
  expect(jobConfiguration(folders)).toEqual({
    'execution.checkpointing.interval': '10 s',
    'execution.checkpointing.mode': 'EXACTLY_ONCE',
    'execution.checkpointing.incremental': 'true',
    'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION',
    'execution.checkpointing.tolerable-failed-checkpoints': '10',
    'state.backend.type': 'rocksdb',
  })
})

test('what the cluster has set holds, by its earlier keys too; exactly once is not for it to say', () => {
  const given = jobConfiguration({
    ...folders,
    'execution.checkpointing.interval': '1 min',
    'execution.checkpointing.mode': 'AT_LEAST_ONCE',
    'state.backend': 'hashmap',
    'state.backend.incremental': 'false',
    'execution.checkpointing.tolerable-failed-checkpoints': '0',
  })
  expect(given).toEqual({
    'execution.checkpointing.mode': 'EXACTLY_ONCE',
    'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION',
  })
})

test.each([
  [{}, ['execution.checkpointing.dir', 'execution.checkpointing.savepoint-dir']],
  [{ 'state.checkpoints.dir': 'file:///c' }, ['execution.checkpointing.savepoint-dir']],
  [{ 'execution.checkpointing.dir': '', 'state.savepoints.dir': 'file:///s' }, ['execution.checkpointing.dir']],
])('without a folder for state there is no job: %j', (cluster, fields) => {
  const refused = (): unknown => jobConfiguration(cluster as Record<string, string>)
  expect(refused).toThrow(ConfigurationError)
  try {
    refused()
  } catch (error) {
    expect((error as ConfigurationError).problems.map(({ field }) => field)).toEqual(fields)
  }
})

test('the development cluster leaves only retention open', () => {
  const settings = { ...defaultSwitches, highAvailability: false, name: 'test', version: 1, password: '' }
  const ports = {
    brokers: {},
    zookeeper: 1,
    jobManager: { rest: 2, rpc: 3, blob: 4, metrics: 5 },
    taskManagers: {},
  }
  const cluster = flinkSettings(clusterFolder('/cache', 'test'), { ...settings, kafkaClusterId: '', ports } as never)
  expect(Object.keys(jobConfiguration(cluster)).sort()).toEqual([
    'execution.checkpointing.externalized-checkpoint-retention',
    'execution.checkpointing.mode',
  ])
})
