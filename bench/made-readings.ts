/**
 * Readings for benchmarks that need many devices or a steady stream: every device once per round, one second of event
 * time apart. The devices' clocks are spread over one window, so that windows close evenly, not all at once.
 */

export const windowMs = 300_000
const graceMs = 5000
const stepMs = 1000
/** 2023-11-14, on a window's edge. */
const baseMs = 1_699_999_800_000
/** As long as each timestamp here. */
const timestampZeros = '0000000000000'

/** Of a device out of so many, in a round; epoch milliseconds. */
function eventTimeMs(device: number, deviceCount: number, round: number, step = stepMs): number {
  return baseMs + Math.floor((device * windowMs) / deviceCount) + round * step
}

/** The round in which a device sends the reading that closes the window with this end. */
export function closingRound(device: number, deviceCount: number, windowEnd: number, step = stepMs): number {
  return Math.ceil((windowEnd + graceMs - eventTimeMs(device, deviceCount, 0)) / step)
}

/** Windows that so many rounds close, of all devices; no step may be longer than a window. */
export function windowsClosed(deviceCount: number, rounds: number, step = stepMs): number {
  let count = 0
  for (let device = 0; device < deviceCount; device++) {
    const lastMs = eventTimeMs(device, deviceCount, rounds - 1, step) - graceMs
    const firstEnd = (Math.floor(eventTimeMs(device, deviceCount, 0) / windowMs) + 1) * windowMs
    count += Math.max(0, Math.floor((lastMs - firstEnd) / windowMs) + 1)
  }
  return count
}

/** One reading, with its device. @param step Event time between two rounds, at most a window. */
export function readingLine(
  device: number,
  deviceCount: number,
  round: number,
  step: number,
): { readonly deviceId: string; readonly line: string } {
  const timeMs = eventTimeMs(device, deviceCount, round, step)
  return { deviceId: deviceIdOf(device), line: lineOf(device, String(timeMs)) }
}

/** A device's reading without its time, which is thirteen zeros, and when its first one is of. */
export function readingTemplate(
  device: number,
  deviceCount: number,
): { readonly deviceId: string; readonly firstMs: number; readonly line: string } {
  const firstMs = eventTimeMs(device, deviceCount, 0)
  return { deviceId: deviceIdOf(device), firstMs, line: lineOf(device, timestampZeros) }
}

function deviceIdOf(device: number): string {
  return `m-${String(device).padStart(7, '0')}`
}

function lineOf(device: number, timestamp: string): string {
  const noise = (Math.imul(device + 1, 2_654_435_761) >>> 0) / 2 ** 32
  return (
    `{"deviceId":"${deviceIdOf(device)}","timestamp":${timestamp},"temperature":${(50 + 10 * noise).toFixed(3)},` +
    `"vibration":${(0.5 + noise).toFixed(4)},"pressure":${(98 + 4 * noise).toFixed(3)}}`
  )
}

/**
 * Request bodies of `linesPerBody` readings, round by round. One buffer per body is written anew, digits in place, since
 * the client must cost little beside the plant.
 *
 * @param options.fromRound First round, 0 or later.
 */
export function* readingBodies(options: {
  readonly deviceCount: number
  readonly fromRound?: number
  readonly rounds: number
  readonly linesPerBody: number
}): Generator<Buffer> {
  const { deviceCount, fromRound = 0, rounds, linesPerBody } = options
  const lines = Array.from({ length: deviceCount }, (_, device) => Buffer.from(`${lineOf(device, timestampZeros)}\n`))
  const digitsAt = (lines[0] as Buffer).indexOf(`${timestampZeros},`)
  const total = deviceCount * rounds
  for (let from = 0; from < total; from += linesPerBody) {
    const count = Math.min(linesPerBody, total - from)
    const parts: Buffer[] = []
    for (let index = from; index < from + count; index++) parts.push(lines[index % deviceCount] as Buffer)
    const body = Buffer.concat(parts)
    let at = 0
    for (let index = from; index < from + count; index++) {
      const device = index % deviceCount
      const timeMs = eventTimeMs(device, deviceCount, fromRound + Math.floor(index / deviceCount))
      body.write(String(timeMs), at + digitsAt, 'latin1')
      at += (lines[device] as Buffer).length
    }
    yield body
  }
}
