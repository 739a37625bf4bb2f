import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createFoldKernel, Fold, type FoldOptions } from './fold.ts'
import {
  blockDevices,
  clock,
  currentSlot,
  dirtyNext,
  fastUntil,
  flagDirty,
  flags,
  foldRowsMax,
  lastAppend,
  nextSlot,
  partCount,
  partExtremes,
  partFirst,
  partLast,
  partMoment2,
  partMoment3,
  partMoment4,
  partSlope,
  partSum,
  ring,
  ringCount,
  ringReadings,
  windowReadings,
} from './fold-fields.ts'
import { createPlainFold } from './fold-plain.ts'

/** Parts with the fields they take, in the order of their bits; some need others. */
const fieldsOfPart = [
  [partCount, 1],
  [partSum, 2],
  [partMoment2, 3],
  [partMoment3, 1],
  [partMoment4, 1],
  [partSlope, 4],
  [partExtremes, 2],
  [partFirst, 2],
  [partLast, 2],
] as const

function lawful(parts: number): number {
  let all = parts | partCount
  if ((all & partMoment4) !== 0) all |= partMoment3
  if ((all & (partMoment3 | partSlope)) !== 0) all |= partMoment2
  return all
}

interface Row {
  readonly device: number
  /** From the row before it: mostly forward, so that rows are in order, late, and of one time alike. */
  readonly stepMs: number
  /** From event time to append time; NaN: no append time. */
  readonly delayMs: number
  readonly values: readonly number[]
}

const startMs = 1_766_000_000_000
const timeMs = fc.integer({ min: 0, max: 60 }).map((seconds) => startMs + 1000 * seconds)
const value = fc.oneof(
  { weight: 6, arbitrary: fc.double({ min: -120, max: 120, noNaN: true }) },
  { weight: 2, arbitrary: fc.constant(Number.NaN) },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
)
const channelCountMax = 5

const rowArbitrary: fc.Arbitrary<Row> = fc.record({
  device: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: 7 }) }, { weight: 1, arbitrary: fc.constant(-1) }),
  stepMs: fc.integer({ min: -2, max: 6 }).map((seconds) => 500 * seconds),
  delayMs: fc.oneof(fc.integer({ min: -21_000, max: 5000 }), fc.constant(Number.NaN)),
  values: fc.array(value, { minLength: channelCountMax, maxLength: channelCountMax }),
})

const worldArbitrary = fc.record({
  channelCount: fc.integer({ min: 1, max: channelCountMax }),
  parts: fc.array(fc.integer({ min: 0, max: 511 }).map(lawful), {
    minLength: channelCountMax,
    maxLength: channelCountMax,
  }),
  rule: fc.option(
    fc.record({
      channel: fc.nat(),
      min: fc.constantFrom(-100, Number.NEGATIVE_INFINITY),
      max: fc.constantFrom(100, Number.POSITIVE_INFINITY),
    }),
  ),
  windowsPerReading: fc.integer({ min: 1, max: 3 }),
  arrival: fc.boolean(),
  oneAppendTime: fc.option(fc.oneof(timeMs, fc.constant(Number.NaN))),
  fastUntilMs: fc.array(
    timeMs.map((ms) => ms + 30_000),
    { minLength: 7, maxLength: 7 },
  ),
  rows: fc.array(rowArbitrary, { maxLength: 200, size: 'max' }),
})
type World = typeof worldArbitrary extends fc.Arbitrary<infer T> ? T : never

function optionsOf({ channelCount, parts, rule, windowsPerReading, arrival }: World): FoldOptions {
  let offset = 0
  const accumulators = parts.slice(0, channelCount).map((kept, channel) => {
    const first = offset
    for (const [part, fields] of fieldsOfPart) if ((kept & part) !== 0) offset += fields
    return { channel, parts: kept, offset: first }
  })
  return {
    channelCount,
    rules: rule === null ? [] : [{ ...rule, channel: rule.channel % channelCount }],
    accumulators,
    accumulatorFields: offset,
    windowsPerReading,
    arrival,
    maxJumpMs: 40_000,
    maxClockAheadMs: 20_000,
    silentAfterMs: 30_000,
  }
}

/** Seven devices with their windows, and the rows as a batch; all rows are offered, those that may not go are passed over. */
function run(world: World, createWork: typeof createFoldKernel) {
  const fold = new Fold(optionsOf(world), createWork)
  const base = fold.addDeviceBlock()
  fold.deviceEnd = 7
  const slots: number[] = []
  for (let device = 0; device < 7; device++) {
    const own = Array.from({ length: world.windowsPerReading }, () => fold.addWindow())
    slots.push(...own)
    const record = base + device * fold.deviceFloats
    fold.floats[record + clock] = device === 0 ? Number.NEGATIVE_INFINITY : startMs
    fold.floats[record + lastAppend] = device === 1 ? Number.NaN : startMs
    fold.floats[record + fastUntil] = world.fastUntilMs[device] as number
    fold.ints[2 * record + currentSlot] = own[0] as number
    for (const [i, slot] of own.entries()) fold.ints[2 * slot + nextSlot] = own[i + 1] ?? -1
  }
  const { rows, oneAppendTime, channelCount } = world
  let timestampMs = startMs
  const times = rows.map(({ stepMs }) => {
    timestampMs += stepMs
    return timestampMs
  })
  const batch = {
    rowCount: rows.length,
    device: Int32Array.from(rows, ({ device }) => device),
    timestampMs: Float64Array.from(times),
    channels: Array.from({ length: channelCount }, (_, k) =>
      Float64Array.from(rows, ({ values }) => values[k] as number),
    ),
  }
  fold.takeBatch(batch, oneAppendTime ?? Float64Array.from(rows, ({ delayMs }, i) => (times[i] as number) + delayMs))
  const taken: number[] = []
  for (let row = 0; row < rows.length; row++) {
    const next = fold.takeInOrder(row, rows.length)
    for (; row < next; row++) taken.push(row, fold.slotOf(row))
  }
  const words = (at: number, floats: number): number[] => [...fold.ints.subarray(2 * at, 2 * (at + floats))]
  return {
    taken,
    devices: words(base, 7 * fold.deviceFloats),
    windows: slots.map((slot) => words(slot, fold.windowFloats)),
    dirty: [fold.dirtyFirst, fold.dirtyLast],
  }
}

/** A fold of one channel of which nothing is kept but the count, with one device that has one window. */
function smallFold(options: Partial<FoldOptions> = {}) {
  const fold = new Fold({
    channelCount: 1,
    rules: [],
    accumulators: [{ channel: 0, parts: partCount, offset: 0 }],
    accumulatorFields: 1,
    windowsPerReading: 1,
    arrival: false,
    maxJumpMs: 1000,
    maxClockAheadMs: 500,
    silentAfterMs: 2000,
    ...options,
  })
  const record = fold.addDeviceBlock()
  fold.deviceEnd = 1
  const slot = fold.addWindow()
  fold.floats.set([10_000, 10_000, 20_000], record)
  fold.ints[2 * record + currentSlot] = slot
  const take = (timestampMs: number, appendTimeMs: number, x = 1, device = 0): boolean => {
    const batch = {
      rowCount: 1,
      device: Int32Array.of(device),
      timestampMs: Float64Array.of(timestampMs),
      channels: [Float64Array.of(x)],
    }
    fold.takeBatch(batch, appendTimeMs)
    return fold.takeInOrder(0, 1) === 1
  }
  return { fold, record, slot, take }
}

describe('Fold.takeInOrder()', () => {
  test('does the same in the kernel as in plain TypeScript, to the bit (F1, F2)', () => {
    let takenRows = 0
    fc.assert(
      fc.property(worldArbitrary, (world) => {
        const found = run(world, createFoldKernel)
        expect(found).toEqual(run(world, createPlainFold))
        takenRows += found.taken.length / 2
      }),
      { seed: 11, numRuns: 300 },
    )
    expect(takenRows).toBeGreaterThan(2000)
  })

  test('takes a row at the last place where it may, and none a millisecond beyond', () => {
    const takes = (...row: [timestampMs: number, appendTimeMs: number, x?: number, device?: number]): boolean =>
      smallFold({ rules: [{ channel: 0, min: -5, max: 5 }] }).take(...row)
    expect(takes(10_001, Number.NaN)).toBe(true)
    expect(takes(10_000, Number.NaN)).toBe(false)
    expect(takes(11_000, Number.NaN)).toBe(true)
    expect(takes(11_001, Number.NaN)).toBe(false)
    expect(takes(10_700, 10_200)).toBe(true)
    expect(takes(10_701, 10_200)).toBe(false)
    expect(takes(10_100, 10_000)).toBe(true)
    expect(takes(10_100, 9999)).toBe(false)
    expect(takes(10_100, 11_999)).toBe(true)
    expect(takes(10_100, 12_000)).toBe(false)
    expect(takes(10_100, Number.NaN, 5)).toBe(true)
    expect(takes(10_100, Number.NaN, 5.1)).toBe(false)
    expect(takes(10_100, Number.NaN, -5.1)).toBe(false)
    expect(takes(10_100, Number.NaN, Number.NaN)).toBe(true)
    expect(takes(10_100, Number.NaN, 1, -1)).toBe(false)
    expect(takes(10_100, Number.NaN, 1, 1)).toBe(false)
  })

  test('takes none from fastUntil on', () => {
    const { fold, record, take } = smallFold()
    fold.floats[record + fastUntil] = 10_500
    expect(take(10_500, Number.NaN)).toBe(false)
    expect(take(10_499, Number.NaN)).toBe(true)
  })

  test('moves clock and append time, lists the device as dirty once, counts, and remembers the hash', () => {
    const { fold, record, slot, take } = smallFold()
    expect([take(10_001, 10_001), take(10_002, 10_003)]).toEqual([true, true])
    expect(fold.floats[record + clock]).toBe(10_002)
    expect(fold.floats[record + lastAppend]).toBe(10_003)
    expect([fold.dirtyFirst, fold.ints[2 * record + dirtyNext]]).toEqual([0, -1])
    expect((fold.ints[2 * record + flags] as number) & flagDirty).toBe(flagDirty)
    expect(fold.floats[slot + windowReadings]).toBe(2)
    fold.writeReading(foldRowsMax, 10_002, Float64Array.of(1))
    const { low, high } = fold.hashOf(foldRowsMax)
    expect([...fold.ints.subarray(2 * record + ring + 2, 2 * record + ring + 4)]).toEqual([low, high])
  })

  test('fills the ring, then goes round', () => {
    const { fold, record, take } = smallFold({ maxJumpMs: 1e9 })
    for (let i = 1; i <= 3 * ringReadings; i++) {
      take(10_000 + i, Number.NaN)
      expect(fold.ints[2 * record + ringCount]).toBe(i < ringReadings ? i : ringReadings + (i % ringReadings))
    }
  })

  test('with arrival as event time takes equal times, and keeps no ring', () => {
    const { fold, take } = smallFold({ arrival: true })
    expect([take(0, 10_000), take(0, 10_001), take(0, 10_001)]).toEqual([true, true, true])
    expect(fold.deviceFloats).toBe(8)
    expect(fold.timestampOf(0)).toBe(10_001)
  })
})

describe('Fold', () => {
  test('keeps records where they are while it grows, and new ones are zero (M1, M2)', () => {
    const { fold, record, slot } = smallFold()
    const before = fold.floats
    const blocks = Array.from({ length: 4 }, () => fold.addDeviceBlock())
    const more = Array.from({ length: blockDevices + 1 }, () => fold.addWindow())
    expect(before.length).toBe(0)
    expect(fold.floats[record]).toBe(10_000)
    expect(new Set([record, ...blocks, slot, ...more]).size).toBe(blocks.length + more.length + 2)
    for (const at of [...blocks, ...more])
      expect(fold.floats.subarray(at, at + fold.windowFloats).every((field) => field === 0)).toBe(true)
  })

  test('finds devices of every block', () => {
    const { fold, slot } = smallFold()
    const second = fold.addDeviceBlock()
    fold.deviceEnd = blockDevices + 3
    const record = second + 2 * fold.deviceFloats
    fold.floats.set([10_000, 10_000, 20_000], record)
    fold.ints[2 * record + currentSlot] = slot
    const batch = {
      rowCount: 1,
      device: Int32Array.of(blockDevices + 2),
      timestampMs: Float64Array.of(10_007),
      channels: [Float64Array.of(1)],
    }
    fold.takeBatch(batch, Number.NaN)
    expect(fold.takeInOrder(0, 1)).toBe(1)
    expect(fold.floats[record + clock]).toBe(10_007)
    expect(fold.dirtyFirst).toBe(blockDevices + 2)
  })

  test('adds one reading to any window as the rows of a batch are added', () => {
    const { fold, slot, take } = smallFold()
    const other = fold.addWindow()
    for (let i = 1; i < 9; i++) {
      take(10_000 + i, Number.NaN, i % 3 === 0 ? Number.NaN : i)
      fold.writeReading(foldRowsMax + 1, 10_000 + i, Float64Array.of(i % 3 === 0 ? Number.NaN : i))
      fold.addToWindow(foldRowsMax + 1, other)
    }
    const fields = (at: number): Float64Array => fold.floats.slice(at, at + fold.windowFloats)
    expect(fields(other)).toEqual(fields(slot))
  })
})

describe('Fold.hashOf()', () => {
  const folds = Array.from({ length: 6 }, (_, channelCount) => {
    return smallFold({ channelCount, accumulators: [], accumulatorFields: 0 }).fold
  })

  /** Hash of one reading, as one text. */
  function hashOf(values: readonly number[], nanHigh = 0x7ff80000): string {
    const fold = folds[values.length - 1] as Fold
    const numbers = Float64Array.from(values)
    const bits = new Int32Array(numbers.buffer)
    for (const [k, number] of values.entries()) if (Number.isNaN(number)) bits.set([1, nanHigh], 2 * k)
    fold.writeReading(foldRowsMax, numbers[0] as number, numbers.subarray(1))
    const { low, high } = fold.hashOf(foldRowsMax)
    return `${low},${high}`
  }

  // Golden: states that were stored hold such hashes.
  test('never changes', () => {
    expect(hashOf([1_766_000_000_000, 61.2, 2.31, 4.02])).toBe('-1487654469,-137717811')
    expect(hashOf([1_766_000_000_000, Number.NaN, -0, 1e-300, 7, 8])).toBe('-1619806331,-1435914192')
  })

  test('never gives two readings that differ in one value the same hash', () => {
    const anyValue = fc.double({ noDefaultInfinity: true })
    fc.assert(
      fc.property(fc.array(anyValue, { minLength: 2, maxLength: 6 }), fc.nat(5), anyValue, (values, at, other) => {
        const changed = values.with(at % values.length, other)
        const same = values.every((found, i) => Object.is(found, changed[i]))
        expect(hashOf(changed) === hashOf(values)).toBe(same)
      }),
      { seed: 3, numRuns: 5000 },
    )
  })

  test('gives a missing value one hash whatever its bits', () => {
    expect(hashOf([1, Number.NaN], -0x80000)).toBe(hashOf([1, Number.NaN], 0x7ff00001))
    expect(hashOf([1, Number.NaN])).not.toBe(hashOf([1, 0]))
  })

  test('spreads readings that hardly differ: none of 200,000 collides', () => {
    const { fold } = smallFold({ channelCount: 2 })
    const seen = new Set<bigint>()
    const values = new Float64Array(2)
    for (let time = 0; time < 200; time++)
      for (let x = 0; x < 50; x++)
        for (let y = 0; y < 20; y++) {
          values.set([x / 10, y / 100])
          fold.writeReading(foldRowsMax, 1_766_000_000_000 + time * 1000, values)
          const { low, high } = fold.hashOf(foldRowsMax)
          seen.add((BigInt(high) << 32n) | BigInt(low >>> 0))
        }
    expect(seen.size).toBe(200_000)
  })
})
