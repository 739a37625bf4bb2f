import { expect, test } from 'vitest'
import { clusterFolder } from './cluster-folder.ts'
import { type ClusterSettings, defaultSwitches } from './cluster-settings.ts'
import { flinkConfiguration, jobManagerArguments, taskManagerArguments } from './flink-process.ts'

const broker = { client: 1, controller: 2, secure: 3 }
const settings: ClusterSettings = {
  version: 1,
  name: 'test',
  ...defaultSwitches,
  flink: { 'env.java.opts.all': ' -Xint  -ea', 'env.java.opts.taskmanager': '-Da=b' },
  kafkaClusterId: 'x',
  password: '',
  ports: {
    brokers: { 'broker-1': broker, 'broker-2': broker, 'broker-3': broker },
    zookeeper: 4,
    jobManager: { rest: 5, rpc: 6, blob: 7, metrics: 8 },
    taskManagers: {
      'task-manager-1': { rpc: 9, data: 10, metrics: 11 },
      'task-manager-2': { rpc: 12, data: 13, metrics: 14 },
    },
  },
}
const folder = clusterFolder('/cache', 'test')
const jars = { distribution: '/flink', additions: '/additions', loopbackProvider: '/provider' }
const resources = { jvmOptions: ['-Xmx1m'], dynamicOptions: [] }

test('options of the JVMs, which Flink leaves to its scripts, reach the program that they are for', () => {
  const jobManager = jobManagerArguments(folder, settings, jars, resources)
  const taskManager = taskManagerArguments(folder, settings, jars, resources, 'task-manager-1', 'id')
  const mainAt = (args: readonly string[]): number => args.findIndex((text) => text.startsWith('org.apache.flink.'))
  const optionsOf = (args: readonly string[]): string[] =>
    args.slice(0, mainAt(args)).filter((text) => ['-Xint', '-ea', '-Da=b'].includes(text))
  expect(optionsOf(jobManager)).toEqual(['-Xint', '-ea'])
  expect(optionsOf(taskManager)).toEqual(['-Xint', '-ea', '-Da=b'])
})

test('a setting of no text takes ours away', () => {
  const textOf = (flink: Record<string, string>): string =>
    flinkConfiguration(folder, { ...settings, flink })
      .map(({ text }) => text)
      .join('\n')
  expect(textOf({})).toContain('execution.checkpointing.interval: "10 s"')
  expect(textOf({ 'execution.checkpointing.interval': '' })).not.toContain('execution.checkpointing.interval')
})
