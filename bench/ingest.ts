import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { benchScratch, diskSyncMs, fileSystemOf, isDurable } from './machine.ts'
import { cpuSecondsOf, statusBytes } from './measure.ts'
import { peersInput } from './peers.ts'
import { postAll, ReadingsClient } from './plant-client.ts'
import { processed, startPlant } from './plant-process.ts'
import { preparedProject } from './prepared-plant.ts'
import { atLeast, median, type Report, spread } from './report.ts'
import { countSyncs } from './syncs.ts'

/** Readings per request. About 0.9 MB: what a gateway of a line sends after a break. */
const linesPerRequest = 8000
const requestsInFlight = 4

interface IngestRun {
  readonly acknowledgedSeconds: number
  /** Until the operators had processed what was acknowledged; NaN for the peer, which processes nothing. */
  readonly processedSeconds: number
  readonly cpuSeconds: number
  readonly syncs: number | null
  readonly peakRssBytes: number
}

/**
 * Durable ingest: HTTP requests → decoded at the door → synced log → operators → scored, synced outputs. The client runs
 * beside the plant on the same machine, with a few requests in flight; only the plant's CPU time counts. Its peer is a
 * plain Node server that parses, appends and syncs, and does nothing else.
 */
export async function benchIngest(lineCount: number, rounds: number): Promise<Report> {
  const requests = requestBodies(peersInput(lineCount))
  const project = await preparedProject()
  const folder = mkdtempSync(join(benchScratch, 'ingest-'))
  const fileSystem = fileSystemOf(folder)
  const runs = { millwright: [] as IngestRun[], plain: [] as IngestRun[] }
  const disk = diskSyncMs(folder)
  try {
    for (let round = 0; round < rounds; round++) {
      const dataDirectory = join(folder, `data-${round}`)
      runs.millwright.push(await ingestIntoPlant(project, dataDirectory, requests, lineCount))
      rmSync(dataDirectory, { recursive: true })
      runs.plain.push(await ingestIntoPlainServer(join(folder, 'plain'), requests, lineCount))
      rmSync(join(folder, 'plain'))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const pick = (list: readonly IngestRun[], read: (run: IngestRun) => number): number => median(list.map(read))
  const row = (name: string, list: readonly IngestRun[]): string[] => {
    const cpu = pick(list, (run) => run.cpuSeconds)
    const syncs = pick(list, (run) => run.syncs ?? Number.NaN)
    const processedSeconds = pick(list, (run) => run.processedSeconds)
    return [
      name,
      (lineCount / pick(list, (run) => run.acknowledgedSeconds) / 1e6).toFixed(2),
      Number.isNaN(processedSeconds) ? '–' : (lineCount / processedSeconds / 1e6).toFixed(2),
      cpu.toFixed(2),
      spread(list.map((run) => run.cpuSeconds)),
      (lineCount / cpu / 1e6).toFixed(2),
      Number.isNaN(syncs) ? 'not counted' : String(syncs),
      (pick(list, (run) => run.peakRssBytes) / 1e6).toFixed(0),
    ]
  }
  const own = pick(runs.millwright, (run) => run.cpuSeconds)
  const perCpuSecond = lineCount / own / 1e6
  return {
    title: `Durable ingest over HTTP, ${lineCount / 1e6} M lines, ${rounds} rounds by turns, ${requestsInFlight} requests of ${linesPerRequest} lines in flight, on ${fileSystem}`,
    header: [
      '',
      'M acknowledged/s',
      'M processed/s',
      'CPU s',
      'spread',
      'M readings per CPU s',
      'syncs',
      'peak RSS MB',
    ],
    rows: [row('Millwright', runs.millwright), row('plain Node server: parse, append, sync', runs.plain)],
    goals: [
      { wanted: '≥ 1 M readings per CPU second', found: `${perCpuSecond.toFixed(2)} M`, met: perCpuSecond >= 1 },
      atLeast(
        'the plain server, which neither cleans, windows nor scores',
        pick(runs.plain, (run) => run.cpuSeconds) / own,
        1,
      ),
    ],
    notes: [
      `one sync of 64 KiB by a bare loop just before: p50 ${disk.p50.toFixed(2)} ms, p99 ${disk.p99.toFixed(1)} ms`,
      ...(isDurable(fileSystem)
        ? []
        : [`${fileSystem} is no disk: nothing here was durable; set MILLWRIGHT_BENCH_SCRATCH`]),
    ],
    figures: [
      { name: 'readings per CPU second', value: lineCount / own, unit: '1/s' },
      {
        name: 'readings processed per second',
        value: lineCount / pick(runs.millwright, (run) => run.processedSeconds),
        unit: '1/s',
      },
      { name: 'syncs', value: pick(runs.millwright, (run) => run.syncs ?? Number.NaN), unit: '1' },
    ],
  }
}

async function ingestIntoPlant(
  project: string,
  dataDirectory: string,
  requests: readonly Buffer[],
  lineCount: number,
): Promise<IngestRun> {
  const plant = await startPlant({ project, dataDirectory })
  const client = new ReadingsClient(plant.url, requestsInFlight)
  try {
    const run = await measureRun(plant.pid, client, requests, lineCount, () => processed(plant.url, lineCount))
    await plant.stop()
    return run
  } finally {
    client.close()
    plant.process.kill('SIGKILL')
  }
}

async function ingestIntoPlainServer(path: string, requests: readonly Buffer[], lineCount: number): Promise<IngestRun> {
  const server: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, 'plain-server.ts'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (server.stdout === null) throw new Error('the plain server has no stdout')
  const [url] = (await once(createInterface({ input: server.stdout }), 'line')) as [string]
  const client = new ReadingsClient(url, requestsInFlight)
  try {
    const run = await measureRun(server.pid ?? 0, client, requests, lineCount, null)
    return run
  } finally {
    client.close()
    server.kill('SIGKILL')
  }
}

async function measureRun(
  pid: number,
  client: ReadingsClient,
  requests: readonly Buffer[],
  lineCount: number,
  untilProcessed: (() => Promise<void>) | null,
): Promise<IngestRun> {
  const syncs = await countSyncs(pid)
  const cpuBefore = cpuSecondsOf(pid)
  const startedMs = performance.now()
  const { accepted, rejected } = await postAll(client, requests, requestsInFlight)
  const acknowledgedSeconds = (performance.now() - startedMs) / 1000
  await untilProcessed?.()
  const processedSeconds = untilProcessed === null ? Number.NaN : (performance.now() - startedMs) / 1000
  const cpuSeconds = cpuSecondsOf(pid) - cpuBefore
  const peakRssBytes = statusBytes(pid, 'VmHWM')
  if (untilProcessed !== null && accepted + rejected !== lineCount)
    throw new Error(`of ${lineCount} lines ${accepted + rejected} were answered for`)
  return { acknowledgedSeconds, processedSeconds, cpuSeconds, syncs: await syncs.stop(), peakRssBytes }
}

/** Cuts a file into bodies of whole lines. */
function requestBodies(path: string): Buffer<ArrayBuffer>[] {
  const file = openSync(path, 'r')
  const bodies: Buffer<ArrayBuffer>[] = []
  const chunk = Buffer.alloc(4 << 20)
  let rest = Buffer.alloc(0)
  for (;;) {
    const length = readSync(file, chunk)
    if (length === 0) break
    rest = Buffer.concat([rest, chunk.subarray(0, length)])
    let start = 0
    let lines = 0
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, end + 1)) {
      lines += 1
      if (lines % linesPerRequest !== 0) continue
      bodies.push(Buffer.from(rest.subarray(start, end + 1)))
      start = end + 1
    }
    rest = rest.subarray(start)
  }
  if (rest.length > 0) bodies.push(rest)
  return bodies
}
