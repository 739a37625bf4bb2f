import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { topicDefinitions } from '../kafka/topic-definitions.ts'
import {
  flinkAdditionArtifacts,
  flinkKafkaConnectorVersion,
  flinkVersion,
  javetVersion,
  kafkaVersion,
  kafkaVersionEarlier,
  zookeeperVersion,
} from './artifacts.ts'
import { clusterFolder } from './cluster-folder.ts'
import { type ClusterSettings, defaultSwitches } from './cluster-settings.ts'
import { flinkSettings } from './flink-process.ts'
import { brokerConfiguration } from './kafka-process.ts'
import { loopback } from './ports.ts'
import { zookeeperConfiguration } from './zookeeper-process.ts'

// Method: the tables of docs/guide/cluster.md are held against what is really written for the processes.

const guide = readFileSync(join(import.meta.dirname, '../../../../docs/guide/cluster.md'), 'utf8')
const folder = clusterFolder('/cache', 'test')
const brokers = { client: 1, controller: 2, secure: 3 }
const settings: ClusterSettings = {
  version: 1,
  name: 'test',
  ...defaultSwitches,
  kafkaClusterId: 'x',
  password: 'p4ssword',
  ports: {
    brokers: { 'broker-1': brokers, 'broker-2': brokers, 'broker-3': brokers },
    zookeeper: 4,
    jobManager: { rest: 5, rpc: 6, blob: 7, metrics: 8 },
    taskManagers: {
      'task-manager-1': { rpc: 9, data: 10, metrics: 11 },
      'task-manager-2': { rpc: 12, data: 13, metrics: 14 },
    },
  },
}

/** Rows of the table below a heading: the first two cells. */
function tableBelow(heading: string): [string, string][] {
  const section = guide.split(`### ${heading}\n`)[1]?.split('\n### ')[0] ?? ''
  return [...section.matchAll(/^\| `([\w.-]+)` \| `([^`]*)` \|/gm)].map((match) => [match[1] ?? '', match[2] ?? ''])
}

function properties(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .trimEnd()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  ) as Record<string, string>
}

test('the guide’s table of Kafka is what a broker is started with', () => {
  const written = properties(brokerConfiguration(folder, settings, 'broker-2')[0]?.text ?? '')
  const rows = tableBelow('Kafka')
  expect(rows.length).toBeGreaterThan(10)
  for (const [key, value] of rows) expect({ [key]: written[key] }).toEqual({ [key]: value })
})

test('the guide’s table of Flink is what its processes are started with', () => {
  const written = flinkSettings(folder, settings)
  const rows = tableBelow('Flink')
  expect(rows.length).toBeGreaterThan(15)
  for (const [key, value] of rows) expect({ [key]: written[key] }).toEqual({ [key]: value })
})

test('the jars that a Flink of one’s own must hold are those that ours holds', () => {
  const deploying = readFileSync(join(import.meta.dirname, '../../../../docs/guide/deploy.md'), 'utf8')
  const told = [...deploying.matchAll(/`([\w.]+:[\w-]+:[\w.-]+)`/g)].map(([, coordinate]) => coordinate)
  const held = ['x64', 'arm64'].flatMap((processor) => flinkAdditionArtifacts(processor).coordinates)
  expect(new Set(told)).toEqual(new Set(held))
  for (const left of flinkAdditionArtifacts().excluded) expect(deploying).toContain(`without \`${left}\``)
})

test('the guide’s versions and topics are those of the code', () => {
  expect(guide).toContain(kafkaVersionEarlier)
  for (const version of [kafkaVersion, flinkVersion, flinkKafkaConnectorVersion, zookeeperVersion, javetVersion])
    expect(guide).toContain(`| ${version} |`)
  for (const { name, partitionCount, settings: topic } of topicDefinitions()) {
    const row = guide.split('\n').find((line) => line.startsWith('| ') && line.includes(`\`${name}\``)) ?? ''
    const days = topic['retention.ms'] === undefined ? 'for good' : `${Number(topic['retention.ms']) / 86_400_000} days`
    expect(row).toMatch(new RegExp(`\\| ${partitionCount} \\| ${topic['cleanup.policy']} \\| ${days} \\|$`))
  }
})

test('the guide gives whoever deploys the right to make each topic', () => {
  const rights = guide.split('\n').find((line) => line.includes('*create*, *describe*, *describe configs*')) ?? ''
  expect([...rights.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name).sort()).toEqual(
    topicDefinitions()
      .map(({ name }) => name)
      .sort(),
  )
})

test('nothing listens beyond the loopback address, secure or not', () => {
  for (const secure of [false, true]) {
    const broker = properties(brokerConfiguration(folder, { ...settings, secure }, 'broker-1')[0]?.text ?? '')
    for (const key of ['listeners', 'advertised.listeners'])
      for (const listener of (broker[key] ?? '').split(',')) expect(listener).toMatch(/^[A-Z]+:\/\/127\.0\.0\.1:\d+$/)
    expect(broker['listeners']?.includes('SECURE')).toBe(secure)
    const flink = flinkSettings(folder, { ...settings, secure })
    for (const key of ['rest.bind-address', 'jobmanager.bind-host', 'taskmanager.bind-host', 'taskmanager.host'])
      expect(flink[key]).toBe(loopback)
  }
  expect(zookeeperConfiguration(folder, settings)[0]?.text).toContain(`clientPortAddress=${loopback}`)
})

test('a setting that is given goes before ours; without ZooKeeper nothing names it', () => {
  const flink = { 'heartbeat.timeout': '1 min' }
  expect(flinkSettings(folder, { ...settings, flink })['heartbeat.timeout']).toBe('1 min')
  const plain = flinkSettings(folder, { ...settings, highAvailability: false })
  expect(Object.keys(plain).filter((key) => key.startsWith('high-availability'))).toEqual([])
})
