import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { benchScratch } from './machine.ts'
import { readingBodies } from './made-readings.ts'
import { cpuSecondsOf, statusBytes } from './measure.ts'
import { postAll, ReadingsClient } from './plant-client.ts'
import { type PlantProcess, processed, startPlant } from './plant-process.ts'
import { preparedProject } from './prepared-plant.ts'
import { atMost, type Report } from './report.ts'

const linesPerRequest = 8000
/** Long enough for a snapshot of everything, and for freed memory to be given back. */
const settleMs = 12_000

/** Resident memory of a plant, idle and with fleets of three sizes: each a plant and a data folder of its own. */
export async function benchMemory(readingsPerDevice: number, largestFleet: number): Promise<Report> {
  const rows: string[][] = []
  const resident = new Map<number, number>()
  for (const deviceCount of [0, 10, 10_000, largestFleet]) {
    const { settled, peak } = await onFreshPlant(async (plant) => {
      if (deviceCount > 0) await send(plant, deviceCount, 0, readingsPerDevice)
      await wait(settleMs)
      return { settled: statusBytes(plant.pid, 'VmRSS'), peak: statusBytes(plant.pid, 'VmHWM') }
    })
    resident.set(deviceCount, settled)
    rows.push([deviceCount === 0 ? 'idle' : deviceCount.toLocaleString('en'), megabytes(settled), megabytes(peak)])
  }
  const idle = resident.get(0) ?? Number.NaN
  const largest = resident.get(largestFleet) ?? Number.NaN
  return {
    title: `Memory of a plant, ${readingsPerDevice} readings per device`,
    header: ['devices', `RSS after ${settleMs / 1000} s, MB`, 'peak RSS, MB'],
    rows,
    goals: [
      atMost('idle RSS', idle / 1e6, 80, 'MB'),
      atMost('RSS at 10,000 devices', (resident.get(10_000) ?? Number.NaN) / 1e6, 150, 'MB'),
    ],
    notes: [
      `a device beyond idle, at ${largestFleet.toLocaleString('en')}: ${((largest - idle) / largestFleet).toFixed(0)} bytes`,
    ],
    figures: [...resident].map(([deviceCount, bytes]) => ({
      name: `rss at ${deviceCount} devices`,
      value: bytes,
      unit: 'B',
    })),
  }
}

/**
 * CPU time of the plant per reading, with few devices and with many, at the same number of readings: the first reading of
 * each device, which makes it known, apart from those after. Few windows close in either.
 */
export async function benchGrowth(readingCount: number, largestFleet: number): Promise<Report> {
  const costs: { readonly deviceCount: number; readonly first: number; readonly later: number }[] = []
  for (const deviceCount of [1000, largestFleet]) {
    const rounds = Math.ceil(readingCount / deviceCount)
    // Both warm up on readings of the same number, those of the many include making them known.
    const firstRounds = Math.ceil(largestFleet / deviceCount)
    costs.push(
      await onFreshPlant(async (plant) => {
        const first = await cpuPerReading(plant, 0, () => send(plant, deviceCount, 0, firstRounds))
        const before = firstRounds * deviceCount
        const later = await cpuPerReading(plant, before, () => send(plant, deviceCount, firstRounds, rounds))
        return { deviceCount, first, later }
      }),
    )
  }
  const [few, many] = costs
  const ratio = (many?.later ?? Number.NaN) / (few?.later ?? Number.NaN)
  return {
    title: `Cost of growth, ${(readingCount / 1e6).toFixed(1)} M readings after the first ${(largestFleet / 1e6).toFixed(1)} M`,
    header: ['devices', 'first readings, ns of CPU each', 'later readings, ns of CPU each'],
    rows: costs.map(({ deviceCount, first, later }) => [
      deviceCount.toLocaleString('en'),
      (first * 1e9).toFixed(0),
      (later * 1e9).toFixed(0),
    ]),
    goals: [
      {
        wanted: `cost per reading at ${largestFleet.toLocaleString('en')} devices ≤ 2× that at 1,000`,
        found: `${ratio.toFixed(2)}×`,
        met: ratio <= 2,
      },
    ],
    notes: [
      'the client cycles through the fleet, so that no device is near the one before: the worst order for caches',
    ],
    figures: costs.flatMap(({ deviceCount, first, later }) => [
      { name: `first, ${deviceCount} devices`, value: first, unit: 's' },
      { name: `later, ${deviceCount} devices`, value: later, unit: 's' },
    ]),
  }
}

async function cpuPerReading(
  plant: PlantProcess,
  processedBefore: number,
  sendAll: () => Promise<number>,
): Promise<number> {
  const before = cpuSecondsOf(plant.pid)
  const sent = await sendAll()
  await processed(plant.url, processedBefore + sent)
  return (cpuSecondsOf(plant.pid) - before) / sent
}

/** Sends rounds of readings and waits until they are processed. @returns How many were sent. */
async function send(plant: PlantProcess, deviceCount: number, fromRound: number, rounds: number): Promise<number> {
  const client = new ReadingsClient(plant.url, 4)
  try {
    const { accepted, rejected } = await postAll(
      client,
      readingBodies({ deviceCount, fromRound, rounds, linesPerBody: linesPerRequest }),
      4,
    )
    if (rejected > 0) throw new Error(`${rejected} made-up readings were rejected`)
    await processed(plant.url, (fromRound + rounds) * deviceCount)
    return accepted
  } finally {
    client.close()
  }
}

async function onFreshPlant<T>(use: (plant: PlantProcess) => Promise<T>): Promise<T> {
  const project = await preparedProject()
  const folder = mkdtempSync(join(benchScratch, 'memory-'))
  const plant = await startPlant({ project, dataDirectory: join(folder, 'data') })
  try {
    const found = await use(plant)
    await plant.stop()
    return found
  } finally {
    plant.process.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}
