import { parentPort, workerData } from 'node:worker_threads'
import { partitionOf } from '@millwright/core'
import { BrokerLink, type KafkaConnection, type NewRecord, PartitionProducer } from '@millwright/gateways/kafka'
import { producerPortOf } from '../../../packages/gateways/src/kafka/idempotent-session.ts'
import { windowMs } from './proof-plant.ts'
import { deviceName, readingLine, tickMs } from './readings.ts'
import type { SwapLoadResult } from './swap-load.ts'

/** What the thread that writes readings to Kafka is told. */
export interface KafkaSwapLoad {
  readonly connection: KafkaConnection
  readonly partitionCount: number
  readonly deviceCount: number
  /** Timestamp of the first reading of each device, a whole window, epoch milliseconds. */
  readonly startMs: number
  /** Alerts that came out so far, counted by whoever watches: one 32-bit number. */
  readonly alertCount: SharedArrayBuffer
  /** Readings that may be on their way: it writes as fast as they come out as alerts. */
  readonly readingsUnderWayMax: number
}

const ticksPerWrite = 10
const readingsPerWindow = windowMs / tickMs
/** How long it sleeps at most where nobody wakes it. */
const lookAgainMs = 200

const load = workerData as KafkaSwapLoad
const startMs = Math.floor(load.startMs / windowMs) * windowMs
const alerts = new Int32Array(load.alertCount)
let stopping = false
parentPort?.once('message', () => {
  stopping = true
})

const link = new BrokerLink(load.connection, 'proof-load')
const producers = Array.from(
  { length: load.partitionCount },
  (_, partition) => new PartitionProducer(producerPortOf(link), 'sensor-data', partition),
)
const partitions = Array.from({ length: load.deviceCount }, (_, device) =>
  partitionOf(deviceName(device), load.partitionCount),
)
const keys = Array.from({ length: load.deviceCount }, (_, device) => Buffer.from(deviceName(device)))
let tick = 0
while (!stopping) {
  await room()
  const writes = producers.map((): NewRecord[] => [])
  for (const end = tick + ticksPerWrite; tick < end; tick++)
    for (let device = 0; device < load.deviceCount; device++)
      writes[partitions[device] as number]?.push({
        key: keys[device] as Buffer,
        value: Buffer.from(readingLine(device, tick, startMs)),
      })
  await Promise.all(writes.map((records, partition) => producers[partition]?.write(records)))
}
await link.close()
const result: SwapLoadResult = {
  lineCount: tick * load.deviceCount,
  closedWindowCount: load.deviceCount * Math.floor(((tick - 1) * tickMs) / windowMs),
  busyCount: 0,
}
parentPort?.postMessage(result)

/** Waits until so many readings came out as alerts that more may be on their way. */
async function room(): Promise<void> {
  while (!stopping) {
    const seen = Atomics.load(alerts, 0)
    if (tick * load.deviceCount - seen * readingsPerWindow <= load.readingsUnderWayMax) return
    await Atomics.waitAsync(alerts, 0, seen, lookAgainMs).value
  }
}
