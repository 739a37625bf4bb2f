import { channelNames, type FaultKind, faultKinds, faultTraits } from './fault-kinds.ts'
import type { SimulationOptions } from './options.ts'
import { randomWord, uniform, unitOf } from './random.ts'

/**
 * All faults of a run, placed before its first reading, as columns: about 50 bytes a fault and 4 a device.
 *
 * T1. A fault acts at true time t when `startMs <= t < endMs`; what a device's clock says does not matter.
 * T2. A device's faults are chained from `firstOfDevice` in the order of `faultKinds`, then of start.
 * T3. Placement depends on the options alone, and not on the order in which the kinds are listed.
 */
export interface FaultTable {
  readonly count: number
  /** Index into `faultKinds`. */
  readonly kind: Uint8Array
  readonly device: Int32Array
  readonly startMs: Float64Array
  /** When severity reaches 1; `startMs` for what is whole at once. */
  readonly fullMs: Float64Array
  /** Exclusive; infinite for what stays until the run ends. */
  readonly endMs: Float64Array
  /** When a late batch is delivered; NaN for all other kinds. */
  readonly deliveredMs: Float64Array
  /** Index into `channelNames`; -1 where the fault is not of one channel. */
  readonly channel: Int8Array
  readonly magnitude: Float64Array
  /** The next fault of the same device; -1 at the end. */
  readonly next: Int32Array
  /** One per device; -1 for a healthy one. */
  readonly firstOfDevice: Int32Array
}

/** Places the faults. The options must have been checked. */
export function placeFaults(options: Required<SimulationOptions>): FaultTable {
  const shares = faultKinds.map((kind) => ({ kind, deviceCount: devicesWith(kind, options) }))
  const count = shares.reduce((sum, s) => sum + s.deviceCount * faultTraits[s.kind].occurrences, 0)
  const table = emptyTable(count, options.deviceCount)
  const deviceAt = scatter(options.seed, options.deviceCount)
  let fault = 0
  let place = 0
  for (const { kind, deviceCount } of shares) {
    for (let i = 0; i < deviceCount; i++, place++) {
      for (let occurrence = 0; occurrence < faultTraits[kind].occurrences; occurrence++) {
        placeOne(table, fault++, { kind, device: deviceAt(place), occurrence, options })
      }
    }
  }
  for (let i = count - 1; i >= 0; i--) {
    const device = table.device[i] as number
    table.next[i] = table.firstOfDevice[device] as number
    table.firstOfDevice[device] = i
  }
  return table
}

/**
 * Returns how bad a fault is at a true time: 0 before and after it, else up to 1.
 */
export function severityAt(table: FaultTable, fault: number, timeMs: number): number {
  const startMs = table.startMs[fault] as number
  if (timeMs < startMs || timeMs >= (table.endMs[fault] as number)) return 0
  const fullMs = table.fullMs[fault] as number
  if (timeMs >= fullMs) return 1
  const atStart = faultTraits[kindOf(table, fault)].severityAtStart
  return atStart + ((1 - atStart) * (timeMs - startMs)) / (fullMs - startMs)
}

export function kindOf(table: FaultTable, fault: number): FaultKind {
  return faultKinds[table.kind[fault] as number] as FaultKind
}

function emptyTable(count: number, deviceCount: number): FaultTable {
  return {
    count,
    kind: new Uint8Array(count),
    device: new Int32Array(count),
    startMs: new Float64Array(count),
    fullMs: new Float64Array(count),
    endMs: new Float64Array(count),
    deliveredMs: new Float64Array(count).fill(Number.NaN),
    channel: new Int8Array(count).fill(-1),
    magnitude: new Float64Array(count),
    next: new Int32Array(count).fill(-1),
    firstOfDevice: new Int32Array(deviceCount).fill(-1),
  }
}

/** Several shares of one kind add up; a kind takes each device once at most. */
function devicesWith(kind: FaultKind, options: Required<SimulationOptions>): number {
  const share = options.faults.reduce((sum, f) => (f.kind === kind ? sum + f.share : sum), 0)
  if (share === 0) return 0
  return Math.min(options.deviceCount, Math.max(1, Math.round(share * options.deviceCount)))
}

/**
 * Returns a permutation of the devices that needs no memory: steps of a stride that has no divisor in common with the
 * number of devices. The golden ratio keeps neighbours apart.
 */
function scatter(seed: number, deviceCount: number): (place: number) => number {
  const offset = (randomWord(seed, 1) >>> 0) % deviceCount
  let stride = Math.max(1, Math.floor(deviceCount * 0.6180339887))
  while (greatestCommonDivisor(stride, deviceCount) !== 1) stride++
  return (place) => (offset + (place % deviceCount) * stride) % deviceCount
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

function placeOne(
  table: FaultTable,
  fault: number,
  what: { kind: FaultKind; device: number; occurrence: number; options: Required<SimulationOptions> },
): void {
  const { kind, device, occurrence, options } = what
  const traits = faultTraits[kind]
  const kindIndex = faultKinds.indexOf(kind)
  // One key for each device, kind and occurrence, so that another kind added to a run moves none of these.
  const key = randomWord(options.seed, 2 + kindIndex * 16 + occurrence) ^ randomWord(options.seed, ~device)
  const stretchMs = (options.durationMs * 0.8) / traits.occurrences
  const lengthMs = stretchMs * uniform(key, 0, ...traits.lengthShare)
  const roomMs = stretchMs * (1 - traits.lengthShare[1] - (kind === 'late-batch' ? 0.2 : 0))
  const startMs = Math.floor(
    options.startMs + options.durationMs * 0.1 + stretchMs * occurrence + roomMs * unitOf(randomWord(key, 1)),
  )
  const endOfLengthMs = Math.floor(startMs + lengthMs)
  table.kind[fault] = kindIndex
  table.device[fault] = device
  table.startMs[fault] = startMs
  table.fullMs[fault] = traits.severityAtStart === 1 ? startMs : endOfLengthMs
  table.endMs[fault] = traits.afterwards === 'ends' ? endOfLengthMs : Number.POSITIVE_INFINITY
  const size = placeMagnitude(table, fault, kind, key)
  if (kind === 'late-batch') table.deliveredMs[fault] = Math.floor(endOfLengthMs + size * stretchMs)
}

/** Chooses channel and magnitude; returns the magnitude. */
function placeMagnitude(table: FaultTable, fault: number, kind: FaultKind, key: number): number {
  const traits = faultTraits[kind]
  const choice = traits.channel === 'any' ? Math.floor(unitOf(randomWord(key, 2)) * channelNames.length) : 0
  const range = traits.magnitude[choice] as readonly [number, number]
  const sign = traits.signed && unitOf(randomWord(key, 3)) < 0.5 ? -1 : 1
  const size = sign * uniform(key, 4, ...range)
  table.channel[fault] =
    traits.channel === 'any' ? choice : traits.channel === null ? -1 : channelNames.indexOf(traits.channel)
  table.magnitude[fault] = traits.group === 'clock' ? Math.round(size) : size
  return size
}
