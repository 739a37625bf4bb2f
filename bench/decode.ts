/**
 * Decoding of readings, in lines per CPU second: `createReadingDecoder` against `JSON.parse` per line, in one run, taking turns.
 *
 *     node bench/decode.ts [FILE.ndjson]      without a file: 1,000,000 made-up readings of 1,000 devices
 *
 * Both read the same bytes from memory and a plain loop adds up what they decode, so that nobody is paid for work not done. The first
 * round of each is counted apart: it holds what the compilers cost. Not measured: reading files, cleaning, windows.
 */
import { readFileSync } from 'node:fs'
import type { ReadingBatch } from '@millwright/core'
import { createReadingDecoder } from '@millwright/operators'

const roundCount = 7
const channels = ['temperature', 'vibration', 'pressure'] as const

interface Input {
  readonly name: string
  readonly bytes: Buffer
  readonly lineCount: number
}

/** What a run decoded, so that two can be compared. */
interface Total {
  readings: number
  sum: number
}

function madeUpReadings(): Buffer {
  const lines: string[] = []
  let state = 1
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  for (let i = 0; i < 1_000_000; i++) {
    const deviceId = `m-${String((i % 1000) + 1).padStart(4, '0')}`
    const values = [40 + 30 * random(), random(), 95 + 10 * random()].map((value, k) => value.toFixed(k === 1 ? 5 : 4))
    lines.push(
      `{"deviceId":"${deviceId}","timestamp":${1_699_999_800_000 + i},"temperature":${values[0]},"vibration":${values[1]},"pressure":${values[2]}}\n`,
    )
  }
  return Buffer.from(lines.join(''))
}

/** The same readings with their timestamps in ISO 8601; of a large file the first 128 MiB, since a string has its limit. */
function withIsoTimes(bytes: Buffer): Buffer {
  const end = bytes.lastIndexOf(10, 128 * 1024 * 1024) + 1
  const text = bytes
    .toString('latin1', 0, end)
    .replace(/"timestamp":(\d{13})/g, (_, ms: string) => `"timestamp":"${new Date(Number(ms)).toISOString()}"`)
  return Buffer.from(text, 'latin1')
}

function countLines(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count++
  return count
}

function byKernel({ bytes }: Input): Total {
  const decoder = createReadingDecoder({ channels, timestamp: 'event', devicesMax: 1_000_000 })
  const total: Total = { readings: 0, sum: 0 }
  const add = ({ rowCount, device, timestampMs, channels: columns }: ReadingBatch): void => {
    const [temperature, vibration, pressure] = columns as [Float64Array, Float64Array, Float64Array]
    for (let row = 0; row < rowCount; row++) {
      if ((device[row] as number) < 0) continue
      total.readings += 1
      total.sum +=
        (timestampMs[row] as number) +
        (temperature[row] as number) +
        (vibration[row] as number) +
        (pressure[row] as number)
    }
  }
  decoder.decode(bytes, add)
  return total
}

/** What a plain script does: no check but that the line is JSON and has what is read. */
function byJsonParse({ bytes }: Input): Total {
  const devices = new Map<string, number>()
  const total: Total = { readings: 0, sum: 0 }
  let start = 0
  while (start < bytes.length) {
    const newline = bytes.indexOf(10, start)
    const end = newline < 0 ? bytes.length : newline
    const line = bytes.toString('latin1', start, end)
    start = end + 1
    const reading = parse(line)
    if (reading === null) continue
    const { deviceId, timestamp, temperature, vibration, pressure } = reading
    const time = typeof timestamp === 'string' ? Date.parse(timestamp) : timestamp
    if (typeof deviceId !== 'string' || typeof time !== 'number' || typeof temperature !== 'number') continue
    if (!devices.has(deviceId)) devices.set(deviceId, devices.size)
    total.readings += 1
    total.sum += time + temperature + vibration + pressure
  }
  return total
}

function parse(line: string) {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

/** Lines per CPU second, in millions; all threads of the process are counted. */
function measure(input: Input, decode: (input: Input) => Total): { rate: number; total: Total } {
  const before = process.cpuUsage()
  const total = decode(input)
  const { user, system } = process.cpuUsage(before)
  return { rate: input.lineCount / (user + system), total }
}

const file = process.argv[2]
const original = file === undefined ? madeUpReadings() : readFileSync(file)
const inputs: Input[] = [
  { name: 'epoch milliseconds', bytes: original },
  { name: 'ISO 8601', bytes: withIsoTimes(original) },
].map((input) => ({ ...input, lineCount: countLines(input.bytes) }))
const median = (rates: readonly number[]): number => [...rates].sort((a, b) => a - b)[rates.length >> 1] as number

const title = ({ name, lineCount }: Input): string => `${name.padEnd(20)}${String(lineCount).padStart(8)}  `

process.stdout.write('Millions of lines per CPU second\n')
process.stdout.write('timestamps             lines  decoder              first  median    best\n')
for (const input of inputs) {
  const rates: Record<string, number[]> = { kernel: [], 'JSON.parse per line': [] }
  const totals: Total[] = []
  for (let round = 0; round < roundCount; round++) {
    for (const [name, decode] of [
      ['kernel', byKernel],
      ['JSON.parse per line', byJsonParse],
    ] as const) {
      const { rate, total } = measure(input, decode)
      rates[name]?.push(rate)
      totals.push(total)
    }
  }
  if (totals.some(({ readings }) => readings !== totals[0]?.readings))
    throw new Error(
      `The decoders must accept the same number of readings: found ${totals.map((t) => t.readings).join(', ')}`,
    )
  for (const [name, [first = 0, ...later]] of Object.entries(rates)) {
    const figures = [first, median(later), Math.max(...later)].map((rate) => rate.toFixed(2).padStart(8)).join('')
    process.stdout.write(`${title(input)}${name.padEnd(20)}${figures}\n`)
  }
  const ratio = median(rates['kernel'] ?? []) / median(rates['JSON.parse per line'] ?? [])
  process.stdout.write(`${title(input)}${'ratio of medians'.padEnd(20)}${ratio.toFixed(1).padStart(16)}\n`)
}
