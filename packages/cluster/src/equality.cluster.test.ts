/**
 * A generated history of 210 devices on a real Kafka and Flink, against the operator itself: each device the same messages, byte for
 * byte. It deletes the topics of the cluster that it is pointed at, so it runs only where one is named:
 *
 *     npm run cluster -- up --name equality --json > status.json
 *     mvn -f packages/cluster/java -DskipTests package
 *     MILLWRIGHT_CLUSTER=status.json MILLWRIGHT_HOST_JAR=…/millwright-host.jar npx vitest run packages/cluster/src/equality
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { partitionOf } from '@millwright/core'
import {
  byDeviceAndTopic,
  createDirectEngine,
  type RunResult,
  randomScenario,
  type StepOutput,
} from '@millwright/testkit'
import {
  Admin,
  Consumer,
  FetchIsolationLevels,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import { expect, test } from 'vitest'
import { bundleGuest } from './bundle/bundle-guest.ts'
import { describeJob } from './bundle/job-description.ts'
import { FlinkClient } from './flink/flink-client.ts'

const statusFile = process.env['MILLWRIGHT_CLUSTER'] ?? ''
const jar = process.env['MILLWRIGHT_HOST_JAR'] ?? ''
const runnable = existsSync(statusFile) && existsSync(jar)
if (!runnable) console.info('equality on a cluster: skipped, MILLWRIGHT_CLUSTER and MILLWRIGHT_HOST_JAR name no files')

const root = join(import.meta.dirname, '../../..')
const historyCount = 70
/** A day after the histories begin: every device is forgotten by then, on both sides. */
const lastMs = 1_767_225_600_000 + 86_400_000
const window = { kind: 'tumbling', sizeMs: 5000 } as const
const { plan } = randomScenario(3011, { window })
const job = { ...describeJob(plan), mergeInputs: true, cacheKeysMax: 20, dirtyKeysMax: 8 }

interface SentRecord {
  readonly topic: string
  readonly key: string
  readonly value: string
  readonly appendTimeMs: number
}

/** Histories of their own devices: what the operator makes of each, and their records in order of append time. */
function histories(): { wanted: StepOutput[]; records: SentRecord[]; counters: Record<string, number> } {
  const wanted: StepOutput[] = []
  const records: SentRecord[] = []
  const counters: Record<string, number> = {}
  for (let history = 1; history <= historyCount; history++) {
    const { steps: all } = randomScenario(977 * history + 5, { window, stepCount: 150, endOfInput: true })
    const steps = all
      .filter(({ kind }) => kind !== 'activate' && kind !== 'heartbeat')
      .map((step) => ('bytes' in step ? { ...step, bytes: ownDevices(step.bytes, history) } : step))
    steps.splice(steps.length - 1, 0, { kind: 'heartbeat', appendTimeMs: lastMs })
    const direct = createDirectEngine().run(plan, steps) as RunResult
    wanted.push(...direct.outputs)
    for (const [name, count] of Object.entries(direct.counters)) counters[name] = (counters[name] ?? 0) + count
    for (const step of steps) {
      if (step.kind !== 'readings' && step.kind !== 'events') continue
      const topic = step.kind === 'readings' ? 'sensor-data' : 'device-events'
      for (const value of new TextDecoder().decode(step.bytes).replace(/\n$/, '').split('\n'))
        records.push({ topic, key: keyOf(value), value, appendTimeMs: step.appendTimeMs })
    }
  }
  // Stable: records of one time keep the order of their history.
  return { wanted, records: records.sort((a, b) => a.appendTimeMs - b.appendTimeMs), counters }
}

function ownDevices(bytes: Uint8Array, history: number): Uint8Array {
  const text = new TextDecoder().decode(bytes).replaceAll('"deviceId":"', `"deviceId":"h${history}-`)
  return new TextEncoder().encode(text)
}

function keyOf(line: string): string {
  const id = /"deviceId":("(?:[^"\\]|\\.)*")/.exec(line)?.[1]
  return id === undefined ? 'none' : (JSON.parse(id) as string)
}

/** Lines by device and topic; those of no device, which several partitions give, in some order of their own. */
function linesOf(outputs: readonly StepOutput[]): Map<string, string[]> {
  return new Map(
    [...byDeviceAndTopic(outputs)].map(([group, messages]) => {
      const lines = messages.map(({ line }) => line)
      return [group, group.endsWith(' of no device') ? lines.sort() : lines] as const
    }),
  )
}

async function bundleInto(folder: string): Promise<void> {
  // The generator encodes the history that comes with a plan, and plain V8 has no encoder; only the plan is wanted here.
  const encoder = `Object.assign(globalThis, { ['Text' + 'Encoder']: class { encode() { return new Uint8Array(0) } } })\nexport {}\n`
  writeFileSync(join(folder, 'encoder.ts'), encoder)
  const scenario = join(root, 'packages/testkit/src/scenario.ts')
  const config = join(folder, 'millwright.config.ts')
  writeFileSync(
    config,
    `import './encoder.ts'\nimport { randomScenario } from ${JSON.stringify(scenario)}\n` +
      `export default randomScenario(3011, { window: { kind: 'tumbling', sizeMs: 5000 } }).plan\n`,
  )
  const { script, sourceMap } = await bundleGuest(config)
  writeFileSync(join(folder, 'guest.js'), script)
  writeFileSync(join(folder, 'guest.js.map'), sourceMap)
  writeFileSync(join(folder, 'job.json'), JSON.stringify(job))
}

/** Makes the topics anew, taking append times as they are given. */
async function renewTopics(bootstrapBrokers: string[]): Promise<void> {
  const admin = new Admin({ clientId: 'equality', bootstrapBrokers })
  const configs = [
    { name: 'message.timestamp.type', value: 'CreateTime' },
    { name: 'retention.ms', value: '-1' },
  ]
  const topics = [...job.outputs, ...job.inputs]
  const there = await admin.listTopics()
  const old = [...topics, job.control].filter((topic) => there.includes(topic))
  if (old.length > 0) await admin.deleteTopics({ topics: old })
  while ((await admin.listTopics()).some((topic) => old.includes(topic))) await delay(200)
  await admin.createTopics({ topics, partitions: 3, replicas: 2, configs })
  await admin.createTopics({ topics: [job.control], partitions: 1, replicas: 2, configs })
  await admin.close()
}

async function send(bootstrapBrokers: string[], records: readonly SentRecord[]): Promise<void> {
  const producer = new Producer({
    clientId: 'equality',
    bootstrapBrokers,
    serializers: stringSerializers,
    idempotent: true,
    retries: 20,
  })
  const messages = [
    ...records.map((record) => ({ ...record, partition: partitionOf(record.key, 3) })),
    // An empty record in each partition carries time past every deadline.
    ...job.inputs.flatMap((topic) =>
      [0, 1, 2].map((partition) => ({ topic, partition, key: 'time', value: '', appendTimeMs: lastMs })),
    ),
  ]
  for (let from = 0; from < messages.length; from += 2000)
    await producer.send({
      messages: messages.slice(from, from + 2000).map(({ appendTimeMs, ...message }) => {
        return { ...message, timestamp: BigInt(appendTimeMs) }
      }),
    })
  await producer.close()
}

async function read(bootstrapBrokers: string[], topic: string, count: number): Promise<StepOutput[]> {
  const consumer = new Consumer({
    clientId: 'equality',
    groupId: `equality-${topic}-${performance.now()}`,
    bootstrapBrokers,
    deserializers: stringDeserializers,
    autocommit: false,
    isolationLevel: FetchIsolationLevels.READ_COMMITTED,
  })
  const stream = await consumer.consume({
    topics: [topic],
    mode: 'earliest',
    fallbackMode: 'earliest',
    maxWaitTime: 200,
  })
  const outputs: StepOutput[] = []
  stream.on('data', ({ key, value }: { key?: string; value: string }) => {
    const deviceId = key === undefined || key === '' ? null : key
    outputs.push({ topic: topic as StepOutput['topic'], deviceId, line: value, step: null })
  })
  const deadlineMs = performance.now() + 30_000
  while (outputs.length < count && performance.now() < deadlineMs) await delay(50)
  // What comes beyond what is wanted would come now.
  await delay(1000)
  await stream.close()
  await consumer.close(true)
  return outputs
}

test.skipIf(!runnable).each([1, 3, 6])(
  'a cluster gives each device what the operator gives, at parallelism %i',
  async (parallelism) => {
    const status = JSON.parse(readFileSync(statusFile, 'utf8')) as { bootstrapServers: string[]; flinkUrl: string }
    const { wanted, records, counters } = histories()
    for (const kind of ['late_readings_total', 'redelivered_total', 'devices_silent_total', 'devices_returned_total'])
      expect(counters[kind], kind).toBeGreaterThan(100)
    const folder = mkdtempSync(join(root, 'examples/equality-'))
    const flink = new FlinkClient({ url: status.flinkUrl })
    try {
      await bundleInto(folder)
      await renewTopics(status.bootstrapServers)
      await send(status.bootstrapServers, records)
      const args = ['--kafka', status.bootstrapServers.join(','), '--guest', folder, '--until', 'latest']
      const jobId = await flink.runJar(await flink.uploadJar(jar), { args, parallelism })
      let { state } = await flink.job(jobId)
      for (; !['FINISHED', 'FAILED', 'CANCELED'].includes(state); { state } = await flink.job(jobId)) await delay(500)
      expect(state).toBe('FINISHED')
    } finally {
      await flink.close()
      rmSync(folder, { recursive: true })
    }
    const found: StepOutput[] = []
    for (const topic of job.outputs) {
      const count = wanted.filter((output) => output.topic === topic).length
      found.push(...(await read(status.bootstrapServers, topic, count)))
    }
    expect(linesOf(found)).toEqual(linesOf(wanted))
  },
  300_000,
)
