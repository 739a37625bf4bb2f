import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { formatDuration } from '@millwright/plant'
import { createSimulation, faultKinds, injectedFaultToJson, type Simulation } from '@millwright/simulator'
import type { Command } from 'commander'
import { pacedLines, wallClockPace } from '../simulate/paced-lines.ts'
import { type DeliveryCounts, LinePoster } from '../simulate/post-lines.ts'
import {
  type Destination,
  readSimulateFlags,
  type SimulateArguments,
  type SimulateFlags,
} from '../simulate/simulate-arguments.ts'
import { formatBytes, formatCount, formatSeconds, startProgress } from '../terminal/progress.ts'

const examples = `
Examples:
  millwright simulate --devices 5 --duration "2 h" --out readings.ndjson.gz
  millwright simulate --fault bearing-wear=0.2 --fault gap --truth truth.ndjson --out readings.ndjson
  millwright simulate --devices 100 --realtime --speed 60 --http http://127.0.0.1:8420

Faults: ${faultKinds.join(', ')}; "all" is each of them.
The same options give the same bytes. docs/guide/simulator.md says what each fault does.`

/** Adds `millwright simulate`: a fleet of machines that goes wrong on purpose, with ground truth. */
export function addCommand(program: Command): void {
  program
    .command('simulate')
    .description('Simulate a fleet of machines with physical faults and ground truth, to a file, stdout or a plant.')
    .option('--devices <n>', 'how many devices', '10')
    .option('--rate <hz>', 'readings per second and device', '1')
    .option('--duration <time>', 'length of the run', '1 h')
    .option('--seed <n>', 'another seed is another fleet', '1')
    .option('--start <iso>', 'time of the first reading (default: 2026-01-05T00:00:00Z, with --realtime now)')
    .option('--fault <kind[=share]>', 'a fault and the share of devices that have it (0.05); repeatable', collect)
    .option('--malformed <share>', 'share of lines that are broken', '0')
    .option('--out <file>', 'NDJSON file, gzip if the name ends in .gz; - is stdout (default)')
    .option('--http <url>', "post to a plant's /api/readings")
    .option('--allow-remote', 'let --http leave this machine')
    .option('--realtime', 'send each line when its time has come')
    .option('--speed <factor>', 'with --realtime: times faster than the clock')
    .option('--truth <file>', 'write what is wrong with which device, when: NDJSON')
    .option('--json', 'print the result as JSON on stdout')
    .addHelpText('after', examples)
    .action((flags: SimulateFlags) => simulate(readSimulateFlags(flags, Date.now())))
}

async function simulate(given: SimulateArguments): Promise<void> {
  const simulation = createSimulation(given.simulation)
  const faults = simulation.groundTruth()
  // The truth is known before the first line: it is there also where the run is cut short.
  if (given.truthPath !== null) {
    await writeFile(given.truthPath, faults.map((fault) => `${injectedFaultToJson(fault)}\n`).join(''))
  }
  const stop = new AbortController()
  const onSignal = (): void => stop.abort()
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
  const progress = startProgress('simulate', given.simulation.durationMs)
  const beganMs = performance.now()
  let bytes = 0
  const lines = async function* (): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for await (const chunk of pacedLines(simulation, wallClockPace(given.speed, stop.signal), stop.signal)) {
      yield chunk
      bytes += chunk.length
      progress.update(simulation.nextArrivalMs - given.simulation.startMs, simulation.counts.lines)
    }
  }
  try {
    const delivery = await deliver(lines(), given.destination, stop.signal)
    progress.stop()
    const seconds = (performance.now() - beganMs) / 1000
    report(given, { simulation, faultCount: faults.length, bytes, delivery, seconds, stopped: stop.signal.aborted })
  } finally {
    progress.stop()
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}

/** Returns what the plant said; `null` where there is none. */
async function deliver(
  lines: AsyncIterable<Uint8Array<ArrayBuffer>>,
  destination: Destination,
  signal: AbortSignal,
): Promise<DeliveryCounts | null> {
  switch (destination.kind) {
    case 'stdout':
      await writeToStdout(lines)
      return null
    case 'file': {
      const file = createWriteStream(destination.path)
      if (destination.path.endsWith('.gz')) await pipeline(lines, createGzip(), file)
      else await pipeline(lines, file)
      return null
    }
    case 'http': {
      const poster = new LinePoster({ url: destination.url, signal })
      try {
        for await (const chunk of lines) await poster.post(chunk)
      } catch (error) {
        // Stopped by the user in the middle of a request: what was answered counts.
        if (!signal.aborted) throw error
      }
      return poster.counts
    }
  }
}

async function writeToStdout(lines: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    await pipeline(lines, process.stdout, { end: false })
  } catch (error) {
    // A reader that has seen enough (`| head`) closes the pipe, which is no failure of ours.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error
  }
}

interface Result {
  readonly simulation: Simulation
  readonly faultCount: number
  readonly bytes: number
  readonly delivery: DeliveryCounts | null
  readonly seconds: number
  readonly stopped: boolean
}

function report(given: SimulateArguments, result: Result): void {
  const { counts, options } = result.simulation
  if (given.json) {
    process.stdout.write(
      `${JSON.stringify({
        devices: options.deviceCount,
        rateHz: options.ratePerDeviceHz,
        seed: options.seed,
        start: new Date(options.startMs).toISOString(),
        end: new Date(options.startMs + options.durationMs).toISOString(),
        ...counts,
        bytes: result.bytes,
        faults: result.faultCount,
        delivery: result.delivery,
        seconds: result.seconds,
        stopped: result.stopped,
      })}\n`,
    )
    return
  }
  const parts = [
    `${formatCount(counts.lines)} lines, ${formatBytes(result.bytes)}`,
    `${formatCount(options.deviceCount)} devices for ${formatDuration(options.durationMs)} from ${new Date(options.startMs).toISOString()}`,
    `${formatCount(result.faultCount)} faults`,
    `in ${formatSeconds(result.seconds)}`,
  ]
  if (result.delivery !== null) {
    const { accepted, rejected, retried } = result.delivery
    parts.push(
      `accepted ${formatCount(accepted)}, rejected ${formatCount(rejected)}, sent again ${formatCount(retried)}`,
    )
  }
  process.stderr.write(`${result.stopped ? 'Stopped: ' : ''}${parts.join(' · ')}\n`)
}

function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value]
}
