import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { benchScratch, diskSyncMs, fileSystemOf, isDurable } from './machine.ts'
import { closingRound, readingBodies, windowsClosed } from './made-readings.ts'
import { percentile } from './measure.ts'
import { followAlerts, postAll, ReadingsClient } from './plant-client.ts'
import { type PlantProcess, processed, startPlant } from './plant-process.ts'
import { preparedProject } from './prepared-plant.ts'
import { atMost, type Figure, type Report } from './report.ts'
import { countSyncs } from './syncs.ts'

const deviceCount = 1000
const requestsPerSecond = 100
const warmUpSeconds = 4
/** Alerts that were still to come when the last reading was sent get so long. */
const lastAlertsMs = 15_000

interface LatencyRun {
  readonly offeredPerSecond: number
  readonly latenciesMs: readonly number[]
  /** Windows that closed in the measured time and whose alert never came. */
  readonly missing: number
  /** Requests that were refused since the plant had to catch up. */
  readonly refused: number
  readonly syncsPerSecond: number | null
  /** How late the client itself sent, p99: what of the latency is the client's. */
  readonly clientLateMs: number
}

/**
 * From the reading that closes a window to a subscriber of `/api/events`, in an open loop: request n is due at n / rate
 * whatever became of those before, and latency counts from when it was due, so that a plant that stands still is not
 * spared the readings that would have come meanwhile (no coordinated omission). Half of what the same plant took in a
 * closed loop just before, and a twentieth of it.
 */
export async function benchLatency(seconds: number): Promise<Report> {
  const project = await preparedProject()
  const folder = mkdtempSync(join(benchScratch, 'latency-'))
  const fileSystem = fileSystemOf(folder)
  const disk = diskSyncMs(folder)
  try {
    const maximum = await withPlant(project, join(folder, 'maximum'), (plant) => maximumRate(plant, seconds))
    const runs: { readonly share: string; readonly run: LatencyRun }[] = []
    for (const [share, part] of [
      ['half the maximum', 0.5],
      ['a twentieth', 0.05],
    ] as const) {
      const run = await withPlant(project, join(folder, share.replaceAll(' ', '-')), (plant) =>
        openLoop(plant, maximum * part, seconds),
      )
      runs.push({ share, run })
    }
    const half = runs[0]?.run.latenciesMs ?? []
    return {
      title: `Latency from the reading that closes a window to a subscriber, ${seconds} s each, on ${fileSystem}`,
      header: [
        'load',
        'readings/s',
        'alerts',
        'p50 ms',
        'p99 ms',
        'p99.9 ms',
        'max ms',
        'syncs/s',
        'alerts missing',
        'requests refused',
        'client late p99 ms',
      ],
      rows: runs.map(({ share, run }) => [
        share,
        `${(run.offeredPerSecond / 1000).toFixed(0)} k`,
        String(run.latenciesMs.length),
        ...[0.5, 0.99, 0.999, 1].map((p) => percentile(run.latenciesMs, p).toFixed(1)),
        run.syncsPerSecond?.toFixed(0) ?? 'not counted',
        String(run.missing),
        String(run.refused),
        run.clientLateMs.toFixed(1),
      ]),
      goals: [atMost('p99 at half the maximum', percentile(half, 0.99), 20, 'ms')],
      notes: [
        `the maximum, closed loop, client beside: ${(maximum / 1e3).toFixed(0)} k readings/s processed`,
        `one sync of 64 KiB by a bare loop on the same disk just before: p50 ${disk.p50.toFixed(2)} ms, p99 ${disk.p99.toFixed(1)} ms, ` +
          `max ${disk.max.toFixed(1)} ms; an alert waits for two syncs, one after the other`,
        'the client, its clock and the subscriber run on the same processors',
        ...(isDurable(fileSystem) ? [] : [`${fileSystem} is no disk: set MILLWRIGHT_BENCH_SCRATCH`]),
      ],
      figures: runs.flatMap(({ share, run }): Figure[] => [
        { name: `p50, ${share}`, value: percentile(run.latenciesMs, 0.5), unit: 'ms' },
        { name: `p99, ${share}`, value: percentile(run.latenciesMs, 0.99), unit: 'ms' },
        { name: `max, ${share}`, value: percentile(run.latenciesMs, 1), unit: 'ms' },
        { name: `offered, ${share}`, value: run.offeredPerSecond, unit: '1/s' },
      ]),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Readings per second that the plant processes when the client sends as fast as it is answered. */
async function maximumRate(plant: PlantProcess, seconds: number): Promise<number> {
  const client = new ReadingsClient(plant.url, 4)
  const endMs = performance.now() + seconds * 1000
  const startedMs = performance.now()
  const bodies = (function* () {
    for (const body of readingBodies({ deviceCount, rounds: 1_000_000, linesPerBody: 8000 })) {
      if (performance.now() > endMs) return
      yield body
    }
  })()
  try {
    const { accepted } = await postAll(client, bodies, 4)
    await processed(plant.url, accepted)
    return accepted / ((performance.now() - startedMs) / 1000)
  } finally {
    client.close()
  }
}

async function openLoop(plant: PlantProcess, readingsPerSecond: number, seconds: number): Promise<LatencyRun> {
  const intervalMs = 1000 / requestsPerSecond
  const linesPerBody = Math.max(1, Math.round(readingsPerSecond / requestsPerSecond))
  const requestCount = Math.ceil((warmUpSeconds + seconds) * requestsPerSecond)
  const rounds = Math.floor((requestCount * linesPerBody) / deviceCount)
  const client = new ReadingsClient(plant.url, 32)
  const latenciesMs: number[] = []
  const clientLateMs: number[] = []
  let refused = 0
  let alerts = 0
  let firstMs = Number.NaN
  const dueMs = (request: number): number => firstMs + request * intervalMs
  const unfollow = await followAlerts(plant.url, (json, atMs) => {
    alerts += 1
    const device = Number(/"deviceId":"m-(\d+)"/.exec(json)?.[1])
    const windowEnd = Number(/"windowEnd":(\d+)/.exec(json)?.[1])
    const request = Math.floor((closingRound(device, deviceCount, windowEnd) * deviceCount + device) / linesPerBody)
    if (request >= warmUpSeconds * requestsPerSecond) latenciesMs.push(atMs - dueMs(request))
  })
  const syncs = await countSyncs(plant.pid)
  try {
    const bodies = readingBodies({ deviceCount, rounds, linesPerBody })
    let body = bodies.next()
    firstMs = performance.now() + 50
    const answers: Promise<void>[] = []
    for (let request = 0; body.done !== true; request++) {
      const early = dueMs(request) - performance.now()
      if (early > 0) await wait(early)
      clientLateMs.push(performance.now() - dueMs(request))
      answers.push(
        client.post(body.value).then(({ status }) => {
          if (status !== 202) refused += 1
        }),
      )
      // Made while there is time before the next one is due.
      body = bodies.next()
    }
    await Promise.all(answers)
    const sentSeconds = (performance.now() - firstMs) / 1000
    const syncCount = await syncs.stop()
    const expected = windowsClosed(deviceCount, rounds)
    const untilMs = performance.now() + lastAlertsMs
    while (alerts < expected && performance.now() < untilMs) await wait(20)
    return {
      offeredPerSecond: linesPerBody * requestsPerSecond,
      latenciesMs,
      missing: expected - alerts,
      refused,
      syncsPerSecond: syncCount === null ? null : syncCount / sentSeconds,
      clientLateMs: percentile(clientLateMs.slice(warmUpSeconds * requestsPerSecond), 0.99),
    }
  } finally {
    unfollow()
    client.close()
  }
}

async function withPlant<T>(
  project: string,
  dataDirectory: string,
  use: (plant: PlantProcess) => Promise<T>,
): Promise<T> {
  const plant = await startPlant({ project, dataDirectory })
  try {
    const found = await use(plant)
    await plant.stop()
    return found
  } finally {
    plant.process.kill('SIGKILL')
    rmSync(dataDirectory, { recursive: true, force: true })
  }
}
