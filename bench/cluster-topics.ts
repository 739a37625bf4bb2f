import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { seenEverywhereMs } from '@millwright/cluster/kafka'
import { partitionOf } from '@millwright/core'
import {
  BrokerLink,
  type KafkaConnection,
  type NewRecord,
  PartitionProducer,
  TopicReader,
  writeInOrder,
} from '@millwright/gateways/kafka'
import { activationKey } from '../packages/cluster/src/kafka/model-update-key.ts'
import { packageParts } from '../packages/cluster/src/kafka/package-parts.ts'
import { producerPortOf } from '../packages/gateways/src/kafka/idempotent-session.ts'

/** Records that are written together: what a gateway under load has at hand. */
const recordsPerWrite = 200
/** Writes of one partition that may wait for Kafka. */
const writesWaitingMax = 4

/** A reading with its device, which is its key. */
export interface KeyedLine {
  readonly deviceId: string
  readonly line: string
}

/** The lines of a file with the device that each seems to be of; those that are cut short have one too, as at a gateway. */
export async function* linesOfFile(path: string): AsyncGenerator<KeyedLine> {
  for await (const line of createInterface({ input: createReadStream(path, { highWaterMark: 1 << 20 }) }))
    yield { deviceId: /^\{"deviceId":"([^"]*)"/.exec(line)?.[1] ?? 'unknown', line }
}

/**
 * Readings of many devices in turn: no device comes again before all others have come, and each round has an order of its own.
 *
 * @param options.stepMs Event time between two readings of one device.
 */
export function* linesWithoutLocality(options: {
  readonly deviceCount: number
  readonly rounds: number
  readonly stepMs: number
}): Generator<KeyedLine> {
  const { deviceCount, rounds, stepMs } = options
  const beganMs = 1_699_999_800_000
  // Any odd number that shares no factor with the number of devices walks through all of them.
  const strides = [7919, 104_729, 15_485_863, 1_299_709]
  for (let round = 0; round < rounds; round++) {
    const stride = strides[round % strides.length] as number
    for (let index = 0, device = round % deviceCount; index < deviceCount; index++) {
      const seed = Math.imul(device + 1, 2_654_435_761) >>> 0
      const swing = ((seed >>> 8) + 977 * round) % 1000
      const deviceId = `m-${String(device).padStart(6, '0')}`
      yield {
        deviceId,
        line:
          `{"deviceId":"${deviceId}","timestamp":${beganMs + round * stepMs},"temperature":${(50 + swing / 100).toFixed(4)},` +
          `"vibration":${(0.5 + swing / 999).toFixed(5)},"pressure":${(98 + swing / 250).toFixed(4)}}`,
      }
      device = (device + stride) % deviceCount
    }
  }
}

/** Writes readings by their devices' partitions. @returns How many. */
export async function fillTopic(
  connection: KafkaConnection,
  topic: string,
  lines: Iterable<KeyedLine> | AsyncIterable<KeyedLine>,
): Promise<number> {
  const link = new BrokerLink(connection, 'bench-fill')
  try {
    const [partitionCount = 0] = await link.partitionCounts([topic])
    const targets = Array.from({ length: partitionCount }, (_, partition) => ({
      producer: new PartitionProducer(producerPortOf(link), topic, partition),
      records: [] as NewRecord[],
      writes: [] as Promise<void>[],
    }))
    let count = 0
    for await (const { deviceId, line } of lines) {
      const target = targets[partitionOf(deviceId, partitionCount)] as (typeof targets)[number]
      target.records.push({ key: Buffer.from(deviceId), value: Buffer.from(line) })
      count += 1
      if (target.records.length < recordsPerWrite) continue
      target.writes.push(target.producer.write(target.records))
      target.records = []
      if (target.writes.length > writesWaitingMax) await target.writes.shift()
    }
    for (const { producer, records, writes } of targets) await Promise.all([...writes, producer.write(records)])
    return count
  } finally {
    await link.close()
  }
}

/** Publishes a package, and waits until it is in force for what is appended then. */
export async function publishModel(
  connection: KafkaConnection,
  model: { readonly name: string; readonly version: string; readonly path: string },
): Promise<void> {
  const bytes = readFileSync(model.path)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const { name, version } = model
  const activation = JSON.stringify({ name, version, sha256, activeFrom: 0 })
  await writeInOrder(connection, 'model-updates', [
    ...packageParts({ name, version }, bytes),
    { key: activationKey(name, randomUUID()), value: Buffer.from(activation) },
  ])
  await delay(seenEverywhereMs)
}

/** Where a topic ends now. */
export async function endOf(connection: KafkaConnection, topic: string): Promise<number[]> {
  const reader = await TopicReader.open(connection, topic)
  try {
    return await reader.offsets('end')
  } finally {
    await reader.close()
  }
}

/** What a job said of windows: probability by device and window. @throws When a window is there twice. */
export async function windowsFrom(
  connection: KafkaConnection,
  topic: string,
  from: readonly number[],
): Promise<Map<string, number>> {
  const reader = await TopicReader.open(connection, topic)
  const windows = new Map<string, number>()
  const decoder = new TextDecoder()
  try {
    for (const [partition, offset] of from.entries())
      for await (const { value } of reader.read({ partition, from: offset })) {
        const window = JSON.parse(decoder.decode(value)) as Record<'deviceId' | 'windowStart' | 'probability', unknown>
        const key = `${window.deviceId} ${window.windowStart}`
        if (windows.has(key)) throw new Error(`the window ${key} is on ${topic} twice`)
        windows.set(key, Math.fround(Number(window.probability)))
      }
  } finally {
    await reader.close()
  }
  return windows
}
