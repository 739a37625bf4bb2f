import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { benchScratch } from './machine.ts'
import { readingBodies, readingLine, windowMs, windowsClosed } from './made-readings.ts'
import { statusBytes } from './measure.ts'
import { postAll, ReadingsClient } from './plant-client.ts'
import { type PlantProcess, processed, startPlant } from './plant-process.ts'
import { preparedProject } from './prepared-plant.ts'
import { atMost, type Report } from './report.ts'

const linesPerRequest = 8000
/** The first rounds make every machine known to the watcher: each closes a window of each. */
const knowingRounds = 3
const watchedSecondsMax = 900

/** What was used up to a moment. */
interface Usage {
  readonly readings: number
  readonly records: number
  readonly watcherSeconds: number
  /** Of the plant with all its threads but the watcher's. */
  readonly plantSeconds: number
}

/** A plant after its load. */
interface Loaded {
  readonly parts: readonly (readonly [name: string, usage: Usage])[]
  readonly idleBytes: number
  readonly residentBytes: number
  readonly peakBytes: number
}

/**
 * CPU time of the watcher beside the plant's, with a large fleet: first a window of every machine after each reading, which is the worst there can be, then readings a
 * second apart of windows of 300, which is the reference plant's. And its memory: that of the plant, beside one without a watcher under the same load.
 */
export async function benchWatching(deviceCount: number, rounds: number): Promise<Report[]> {
  const project = await preparedProject()
  const without = await loaded(project, { deviceCount, rounds, isWatched: false })
  const watching = await loaded(project, { deviceCount, rounds, isWatched: true })
  const { parts } = watching
  const share = 100 * shareOf((parts[1] as Loaded['parts'][number])[1])
  const memory = [
    { name: 'without the watcher', ...memoryOf(without) },
    { name: 'with it', ...memoryOf(watching) },
    {
      name: 'what it takes',
      idle: watching.idleBytes - without.idleBytes,
      end: watching.residentBytes - without.residentBytes,
      peak: watching.peakBytes - without.peakBytes,
    },
  ]
  const machines = deviceCount.toLocaleString('en')
  return [
    {
      title: `Watching ${machines} machines`,
      header: ['readings', 'records watched', 'plant, CPU s', 'watcher, CPU s', 'watcher, µs a record', 'share'],
      rows: parts.map(([name, { readings, records, plantSeconds, watcherSeconds }]) => [
        `${readings.toLocaleString('en')}, ${name}`,
        records.toLocaleString('en'),
        plantSeconds.toFixed(2),
        watcherSeconds.toFixed(2),
        ((watcherSeconds / records) * 1e6).toFixed(1),
        `${(100 * shareOf({ plantSeconds, watcherSeconds })).toFixed(1)} %`,
      ]),
      goals: [atMost("the watcher's CPU beside the plant's, 300 readings a window", share, 10, '%')],
      notes: [
        'the watcher includes its reports: every two seconds at most, and a two-hundredth of the time; a state saved every five minutes, where the run is that long',
      ],
      figures: parts.flatMap(([name, { records, watcherSeconds, plantSeconds }]) => [
        { name: `watcher per record, ${name}`, value: watcherSeconds / records, unit: 's' },
        { name: `share, ${name}`, value: shareOf({ plantSeconds, watcherSeconds }), unit: '' },
      ]),
    },
    {
      title: `Memory of a plant of ${machines} machines`,
      header: ['RSS', 'at the start, MB', 'at the end, MB', 'peak, MB'],
      rows: memory.map(({ name, idle, end, peak }) => [
        name,
        ...[idle, end, peak].map((bytes) => (bytes / 1e6).toFixed(0)),
      ]),
      goals: [],
      notes: [
        'what collectors of garbage give back, and when, differs from run to run: the peaks compare better than the ends',
      ],
      figures: memory.map(({ name, peak }) => ({ name: `peak RSS ${name}`, value: peak, unit: 'B' })),
    },
  ]
}

/** Starts a plant, has it take the load, and ends it. */
async function loaded(
  project: string,
  {
    deviceCount,
    rounds,
    isWatched,
  }: { readonly deviceCount: number; readonly rounds: number; readonly isWatched: boolean },
): Promise<Loaded> {
  const folder = mkdtempSync(join(benchScratch, 'watching-'))
  const plant = await startPlant({
    project,
    dataDirectory: join(folder, 'data'),
    args: isWatched ? [] : ['--no-watch'],
  })
  const client = new ReadingsClient(plant.url, 4)
  const send = async (bodies: Iterable<Buffer>, readingsInAll: number): Promise<void> => {
    const { rejected } = await postAll(client, bodies, 4)
    if (rejected > 0) throw new Error(`${rejected} made-up readings were rejected`)
    await processed(plant.url, readingsInAll)
  }
  const usage = async (readings: number, windows: number): Promise<Usage> =>
    isWatched ? await watched(plant, readings, windows) : { ...(await usageOf(plant)), readings }
  try {
    const atStart = await usageOf(plant)
    const idleBytes = statusBytes(plant.pid, 'VmRSS')
    const known = knowingRounds * deviceCount
    await send(eachRoundAWindow(deviceCount), known)
    const first = await usage(known, windowsClosed(deviceCount, knowingRounds, windowMs))
    // The same times again, in steps of a second: the rounds of a window apart are so many steps of one.
    const fromRound = (knowingRounds - 1) * (windowMs / 1000) + 1
    await send(
      readingBodies({ deviceCount, fromRound, rounds, linesPerBody: linesPerRequest }),
      known + rounds * deviceCount,
    )
    const last = await usage(known + rounds * deviceCount, windowsClosed(deviceCount, fromRound + rounds))
    return {
      parts: [
        ['a window after each reading', between(atStart, first)],
        ['300 readings a window', between(first, last)],
      ],
      idleBytes,
      residentBytes: statusBytes(plant.pid, 'VmRSS'),
      peakBytes: statusBytes(plant.pid, 'VmHWM'),
    }
  } finally {
    client.close()
    plant.process.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

function memoryOf({ idleBytes, residentBytes, peakBytes }: Loaded) {
  return { idle: idleBytes, end: residentBytes, peak: peakBytes }
}

function shareOf({ plantSeconds, watcherSeconds }: Pick<Usage, 'plantSeconds' | 'watcherSeconds'>): number {
  return watcherSeconds / plantSeconds
}

function between(before: Usage, after: Usage): Usage {
  return {
    readings: after.readings - before.readings,
    records: after.records - before.records,
    watcherSeconds: after.watcherSeconds - before.watcherSeconds,
    plantSeconds: after.plantSeconds - before.plantSeconds,
  }
}

/** Resolves when the watcher has taken both messages of so many windows. */
async function watched(plant: PlantProcess, readings: number, windows: number): Promise<Usage> {
  const deadlineMs = performance.now() + watchedSecondsMax * 1000
  for (;;) {
    const usage = await usageOf(plant)
    if (usage.records >= 2 * windows) return { ...usage, readings }
    if (performance.now() > deadlineMs)
      throw new Error(`the watcher has taken ${usage.records} records of ${2 * windows} after ${watchedSecondsMax} s`)
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}

async function usageOf({ url }: PlantProcess): Promise<Usage> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const sumOf = (name: string): number =>
    [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce(
      (sum, [, value]) => sum + Number(value),
      0,
    )
  const watcherSeconds = sumOf('millwright_watcher_cpu_seconds_total')
  return {
    readings: 0,
    records: sumOf('millwright_watcher_records_total'),
    watcherSeconds,
    plantSeconds: sumOf('process_cpu_seconds_total') - watcherSeconds,
  }
}

function* eachRoundAWindow(deviceCount: number): Generator<Buffer> {
  let lines: string[] = []
  for (let round = 0; round < knowingRounds; round++)
    for (let device = 0; device < deviceCount; device++) {
      lines.push(readingLine(device, deviceCount, round, windowMs).line)
      if (lines.length < linesPerRequest) continue
      yield Buffer.from(`${lines.join('\n')}\n`)
      lines = []
    }
  if (lines.length > 0) yield Buffer.from(`${lines.join('\n')}\n`)
}
