import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { splitModelPackage } from '../../../packages/cli/src/models/split-model-testing.ts'
import { type PartitionLines, partitionOf } from '../../../packages/core/src/index.ts'
import { type KafkaConnection, KafkaIngest } from '../../../packages/gateways/src/kafka/index.ts'
import { pause } from '../support/proof.ts'

/** A small fleet that gives every topic of output something at any moment, and the project that watches it. */

const deviceCount = 24
/** Between two readings of a device; also between two calls of the gateway. */
const tickMs = 200
/** A device that says nothing for so long has fallen silent. */
export const silentAfterMs = 12_000
/** Each device is quiet for 20 s in 4 min, two at a time: they fall silent, and come back. */
const quietTicks = 100
const heartbeatMs = 500

/** A line, and whose it is; `''` where that cannot be told. */
interface FleetLine {
  readonly deviceId: string
  readonly line: string
}

/** A model of the project. Each says the opposite of the one before: which of them scored a window can be told from its answer. */
export function fleetPackage(version: number): Uint8Array {
  const sign = version % 2 === 0 ? 1 : -1
  const feature = (name: string, unit: string) => ({ name, unit })
  return splitModelPackage({
    name: 'press',
    version: String(version),
    features: [feature('tempStd', '°C'), feature('vibration', 'mm/s'), feature('sinceRepair', 'h')],
    splitFeature: 1,
    splitAt: 2,
    below: 3 * sign,
    atOrAbove: -3 * sign,
    rows: [
      [0.1, 1, 0.1],
      [0.2, 2, 0.2],
      [0.3, 3, 0.3],
    ],
  })
}

/** Writes the project: windows of a second, so that some fire at any moment; they look at device events, so inputs are merged. @returns Its folder. */
export function writeFleetProject(folder: string): string {
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'millwright.config.ts'),
    `import { definePlant, hoursSince, mean, std, tumbling } from '@millwright/plant'
export default definePlant({
  name: 'press-shop',
  channels: { temperature: { unit: '°C' }, vibration: { unit: 'mm/s' } },
  cleaning: [{ channel: 'temperature', min: 0, max: 100 }],
  window: tumbling('1 s'),
  features: { tempStd: std('temperature'), vibration: mean('vibration'), sinceRepair: hoursSince('maintenance') },
  model: 'press',
  alert: { threshold: 0.8 },
  time: { grace: '500 ms', silentAfter: '${silentAfterMs / 1000} s' },
})
`,
  )
  return folder
}

/** Sends the fleet's readings and events until it is told to stop: some late, some twice, some broken. What is in the topics, they will tell. */
export class Fleet {
  readonly #ingest: KafkaIngest
  readonly #chance: () => number
  readonly #reading: Promise<void>
  readonly #beating: Promise<void>
  #readings = true
  #heartbeats = true
  /** Lines in calls that Kafka acknowledged, and in those that failed and may be in the topic or not. */
  acknowledged = 0
  inDoubt = 0

  private constructor(ingest: KafkaIngest, chance: () => number) {
    this.#ingest = ingest
    this.#chance = chance
    this.#reading = this.#sendReadings()
    this.#beating = this.#sendHeartbeats()
  }

  static async start(kafka: KafkaConnection, chance: () => number): Promise<Fleet> {
    return new Fleet(await KafkaIngest.open(kafka), chance)
  }

  /** Ends the readings; heartbeats go on and carry time forward. */
  async stopReadings(): Promise<void> {
    this.#readings = false
    await this.#reading
  }

  async stop(): Promise<void> {
    await this.stopReadings()
    this.#heartbeats = false
    await this.#beating
    await this.#ingest.close()
  }

  async #sendReadings(): Promise<void> {
    const startMs = Date.now()
    for (let tick = 0; this.#readings; ) {
      const nowMs = startMs + tick * tickMs
      // Together: which of the two topics has its record first is for the brokers to say.
      await Promise.all([
        this.#append('sensor-data', this.#linesOf(nowMs, tick)),
        this.#append('device-events', this.#eventsOf(nowMs, tick)),
      ])
      // What could not be sent while a broker was away is not caught up with: a device's time goes on with the clock.
      tick = Math.max(tick + 1, Math.floor((Date.now() - startMs) / tickMs))
      await pause(Math.max(0, startMs + tick * tickMs - Date.now()))
    }
  }

  async #append(topic: 'sensor-data' | 'device-events', lines: readonly FleetLine[]): Promise<void> {
    try {
      await this.#ingest.append(topic, byPartition(lines, this.#ingest.partitionCount))
      this.acknowledged += lines.length
    } catch (error) {
      if (!(error instanceof Error)) throw error
      this.inDoubt += lines.length
    }
  }

  /** Repairs, of two devices in each tick; some of something that no window looks at, some broken. */
  #eventsOf(nowMs: number, tick: number): FleetLine[] {
    return [tick, tick * 5 + 3].map((number) => {
      const deviceId = `press-${number % deviceCount}`
      const type = tick % 7 === 0 ? 'inspection' : 'maintenance'
      const timestamp = tick % 31 === 0 ? '"no time"' : nowMs
      return { deviceId, line: `{"deviceId":"${deviceId}","timestamp":${timestamp},"type":"${type}"}` }
    })
  }

  async #sendHeartbeats(): Promise<void> {
    while (this.#heartbeats) {
      await this.#ingest.heartbeat()
      await pause(heartbeatMs)
    }
  }

  #linesOf(nowMs: number, tick: number): FleetLine[] {
    const found: FleetLine[] = []
    const add = (deviceId: string, line: string, twice = false): void => {
      found.push({ deviceId, line })
      if (twice) found.push({ deviceId, line })
    }
    for (let device = 0; device < deviceCount; device++) {
      const deviceId = `press-${device}`
      if ((Math.floor(tick / quietTicks) + device) % 12 === 0) continue
      const chance = this.#chance()
      // Every fiftieth comes two to four seconds late, every hundredth comes twice, every two hundredth is hot or broken.
      const timestamp = chance < 0.02 ? nowMs - 2000 - Math.floor(chance * 100_000) : nowMs
      const temperature = chance > 0.995 ? 120 : 40 + ((tick + device) % 7)
      const vibration = ((device + Math.floor(tick / 50)) % 4 === 0 ? 3.5 : 1.25) + ((tick * 7 + device) % 13) / 100
      add(
        deviceId,
        `{"deviceId":"${deviceId}","timestamp":${timestamp},"temperature":${temperature},"vibration":${vibration.toFixed(2)}}`,
        chance > 0.02 && chance < 0.03,
      )
      if (chance > 0.03 && chance < 0.033) add(deviceId, `{"deviceId":"${deviceId}","timestamp":"no time ${tick}"}`)
      if (chance > 0.033 && chance < 0.035) add('', `broken ${tick} ${device}`)
    }
    return found
  }
}

/** As the door hands lines over: those of no device in partition 0. */
function byPartition(found: readonly FleetLine[], partitionCount: number): PartitionLines[] {
  const parts = Array.from({ length: partitionCount }, (): string[] => [])
  for (const { deviceId, line } of found) parts[deviceId === '' ? 0 : partitionOf(deviceId, partitionCount)]?.push(line)
  return parts.flatMap((lines, partition) =>
    lines.length === 0 ? [] : [{ partition, lines: Buffer.from(`${lines.join('\n')}\n`), lineCount: lines.length }],
  )
}
