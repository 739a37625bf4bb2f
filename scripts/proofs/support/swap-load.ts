import { parentPort, workerData } from 'node:worker_threads'
import { isAcknowledged, postReadings, windowMs } from './proof-plant.ts'
import { readingLines, tickMs } from './readings.ts'

/** What the thread that sends readings is told. */
export interface SwapLoad {
  readonly url: string
  readonly deviceCount: number
  /** Timestamp of the first reading of each device, a whole window, epoch milliseconds. */
  readonly startMs: number
}

/** What it sent until it was told to stop; all of it acknowledged. */
export interface SwapLoadResult {
  readonly lineCount: number
  /** Windows that these readings have closed. */
  readonly closedWindowCount: number
  /** Requests that the plant answered with 429, and took later. */
  readonly busyCount: number
}

const laneCount = 4
const ticksPerRequest = 200

const { url, deviceCount, startMs } = workerData as SwapLoad
const firstMs = Math.floor(startMs / windowMs) * windowMs
let stopping = false
let busyCount = 0
parentPort?.once('message', () => {
  stopping = true
})

const devicesPerLane = deviceCount / laneCount
const ticks = await Promise.all(Array.from({ length: laneCount }, (_, lane) => sendLane(lane)))
const result: SwapLoadResult = {
  lineCount: ticks.reduce((sum, count) => sum + count * devicesPerLane, 0),
  closedWindowCount: ticks.reduce(
    (sum, count) => sum + devicesPerLane * Math.floor(((count - 1) * tickMs) / windowMs),
    0,
  ),
  busyCount,
}
parentPort?.postMessage(result)

/** Sends the readings of some devices, one request after the other, so that each device's come in order. */
async function sendLane(lane: number): Promise<number> {
  let tick = 0
  while (!stopping) {
    const lines = readingLines({
      firstDevice: lane * devicesPerLane,
      deviceCount: devicesPerLane,
      firstTick: tick,
      tickCount: ticksPerRequest,
      startMs: firstMs,
    })
    const text = `${lines.join('\n')}\n`
    for (;;) {
      const answer = await postReadings(url, text)
      if (isAcknowledged(answer, lines.length)) break
      // Refused whole, so it can be sent again as it is.
      if (answer.status !== 429) throw new Error(`the plant answered ${answer.status}: ${answer.body}`)
      busyCount += 1
    }
    tick += ticksPerRequest
  }
  return tick
}
