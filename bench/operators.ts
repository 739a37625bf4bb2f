/**
 * Readings per CPU second of the operators alone, in one process: bytes in memory → decode → clean → windows → features → messages.
 *
 * Usage: node bench/operators.ts [--input FILE]   a file of readings as the peers' generator writes it; without it, readings are
 *                                                 made up: 2,000,000 of 1,000 devices, then of 1,000,000 devices, after a
 *                                                 million for warming up.
 *
 * Not measured: reading the file, scoring, writing outputs, the log.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Plan, ReadingDecoder } from '@millwright/core'
import { createPartitionOperator, createReadingDecoder } from '@millwright/operators'

const chunkBytes = 256 * 1024
const channels = ['temperature', 'vibration', 'pressure']

/** The reference plant's plan: docs/guide has the project it comes from. */
const plan: Plan = {
  kind: 'plan',
  name: 'reference',
  channels: channels.map((name) => ({ name, unit: '1', kind: 'gauge', min: null, max: null })),
  cleaning: [{ kind: 'range', name: 'temperature-range', channel: 'temperature', min: 0, max: 100, onBad: 'drop' }],
  window: { kind: 'tumbling', sizeMs: 300_000 },
  features: [
    { name: 'tempStd', unit: '1', node: { kind: 'aggregate', statistic: 'std', channel: 'temperature' } },
    { name: 'vibration', unit: '1', node: { kind: 'aggregate', statistic: 'mean', channel: 'vibration' } },
    { name: 'pressure', unit: '1', node: { kind: 'aggregate', statistic: 'mean', channel: 'pressure' } },
  ],
  model: null,
  alert: { threshold: 0.8, whyMax: 3 },
  time: {
    timestamp: 'event',
    graceMs: 5000,
    allowedLatenessMs: 0,
    maxJumpMs: 86_400_000,
    maxClockAheadMs: 300_000,
    silentAfterMs: 600_000,
    forgetAfterMs: 30 * 86_400_000,
    devicesMax: 2_000_000,
  },
  partitionCount: 1,
  sources: [],
  sinks: [],
  notify: [],
  retention: { readingsMs: 86_400_000, outputsMs: 86_400_000, diskBytesMax: 1e9 },
  heartbeat: null,
  lines: [],
  csv: null,
}

/** Whole lines of about `chunkBytes` each. */
function* chunksOfFile(path: string): Generator<Uint8Array> {
  const bytes = readFileSync(path)
  let start = 0
  while (start < bytes.length) {
    const end = bytes.lastIndexOf(10, Math.min(bytes.length, start + chunkBytes) - 1) + 1
    yield bytes.subarray(start, end)
    start = end
  }
}

/** Readings at 1 Hz of every device, the devices in an order that has no pattern a cache could follow. */
function* madeUp(readingCount: number, deviceCount: number): Generator<Uint8Array> {
  const step = 7_368_787
  let lines: string[] = []
  let seed = 1
  for (let i = 0; i < readingCount; i++) {
    const device = (i * step) % deviceCount
    const second = Math.floor(i / deviceCount)
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    const noise = seed / 4_294_967_296
    lines.push(
      `{"deviceId":"m-${String(device).padStart(7, '0')}","timestamp":${1_766_000_100_000 + second * 1000},` +
        `"temperature":${(55 + noise).toFixed(2)},"vibration":${(0.5 + noise).toFixed(3)},"pressure":${(4 + noise).toFixed(2)}}\n`,
    )
    if (lines.length === 2400 || i === readingCount - 1) {
      yield Buffer.from(lines.join(''))
      lines = []
    }
  }
}

interface Work {
  /** Processes one chunk; returns nothing. */
  readonly chunk: (bytes: Uint8Array) => void
  readonly devices: () => number
}

/** CPU seconds that `work` takes for all chunks after the first `warmUp` readings; making the chunks is not counted. */
function cpuSeconds(chunks: Iterable<Uint8Array>, work: Work, warmUp: number): { seconds: number; readings: number } {
  let microseconds = 0
  let seen = 0
  let readings = 0
  for (const bytes of chunks) {
    let lines = 0
    for (let i = 0; i < bytes.length; i++) if (bytes[i] === 10) lines += 1
    const before = process.cpuUsage()
    work.chunk(bytes)
    const used = process.cpuUsage(before)
    seen += lines
    if (seen <= warmUp) continue
    readings += lines
    microseconds += used.user + used.system
  }
  return { seconds: microseconds / 1e6, readings }
}

function newDecoder(): ReadingDecoder {
  return createReadingDecoder({ channels, timestamp: 'event', devicesMax: plan.time.devicesMax })
}

/** Rows decoded and lines emitted: what keeps the work from being optimised away. */
let done = 0
const countLine = (): void => {
  done += 1
}

function decodeOnly(): Work {
  const decoder = newDecoder()
  return {
    chunk: (bytes) => {
      decoder.input(bytes.length).set(bytes)
      decoder.decodeInput(bytes.length, (batch) => {
        done += batch.rowCount
      })
    },
    devices: () => decoder.deviceCount,
  }
}

function wholeOperator(appendTimes: boolean): Work {
  const operator = createPartitionOperator({ plan, decoder: newDecoder(), sink: { emit: countLine } })
  let offset = 0
  return {
    chunk: (bytes) => {
      operator.input(bytes.length).set(bytes)
      operator.readingsInput(bytes.length, offset, appendTimes ? 1_766_001_000_000 + offset / 1000 : Number.NaN)
      operator.flush()
      offset += 10_000
    },
    devices: () => operator.deviceCount,
  }
}

function report(name: string, chunks: () => Iterable<Uint8Array>, work: Work, warmUp = 0): number {
  const residentBefore = process.memoryUsage().rss
  const { seconds, readings } = cpuSeconds(chunks(), work, warmUp)
  const perSecond = readings / seconds
  const nanoseconds = (seconds / readings) * 1e9
  const grown = (process.memoryUsage().rss - residentBefore) / Math.max(1, work.devices())
  console.log(
    `${name.padEnd(44)} ${(perSecond / 1e6).toFixed(2).padStart(7)} M/CPU s ${nanoseconds.toFixed(0).padStart(6)} ns` +
      (work.devices() >= 1e5 ? ` ${grown.toFixed(0).padStart(6)} B/device` : ''),
  )
  return nanoseconds
}

const { values } = parseArgs({ options: { input: { type: 'string' } } })
const { input } = values
if (input !== undefined) {
  const chunks = [...chunksOfFile(input)]
  for (let round = 1; round <= 3; round++) {
    const decode = report(`decode only (round ${round})`, () => chunks, decodeOnly())
    const whole = report(`operator, replay (round ${round})`, () => chunks, wholeOperator(false))
    report(`operator, with append times (round ${round})`, () => chunks, wholeOperator(true))
    console.log(`${'beyond decoding'.padEnd(44)} ${(whole - decode).toFixed(0).padStart(24)} ns`)
  }
} else {
  for (const deviceCount of [1000, 1_000_000]) {
    // What compiles the code, and makes each device known, is not counted.
    const warmUp = 1_000_000
    const made = (): Iterable<Uint8Array> => madeUp(warmUp + 2_000_000, deviceCount)
    const what = `${deviceCount.toLocaleString('en')} devices`
    const decode = report(`${what}: decode only`, made, decodeOnly(), warmUp)
    const whole = report(`${what}: operator, replay`, made, wholeOperator(false), warmUp)
    console.log(`${'beyond decoding'.padEnd(44)} ${(whole - decode).toFixed(0).padStart(24)} ns`)
  }
}
console.log(`rows and messages in all: ${done}`)
