import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { faultKinds, faultTraits } from './fault-kinds.ts'
import type { SimulationOptions } from './options.ts'
import { simulatedLineBytesMax } from './reading-line.ts'
import { createSimulation, type Simulation } from './simulation.ts'

/** Every fault, broken lines and a rate whose period is no whole number of milliseconds. */
const everything: SimulationOptions = {
  seed: 20260105,
  deviceCount: 33,
  ratePerDeviceHz: 0.7,
  startMs: 1_767_571_200_000,
  durationMs: 1_200_000,
  faults: faultKinds.map((kind) => ({ kind, share: 0.1 })),
  malformedShare: 0.02,
}

function pullAll(simulation: Simulation, chunkBytes = 1 << 16): Buffer {
  const chunks: Buffer[] = []
  const target = new Uint8Array(chunkBytes)
  for (let length = simulation.fill(target); length > 0; length = simulation.fill(target)) {
    chunks.push(Buffer.from(target.subarray(0, length)))
  }
  return Buffer.concat(chunks)
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const whole = pullAll(createSimulation(everything))

test('createSimulation() gives the same bytes for the same seed, and those of every release (S1)', () => {
  expect(pullAll(createSimulation(everything)).equals(whole)).toBe(true)
  // A changed digest means that seeds written down by users give another fleet: say so in the changelog.
  expect(digest(whole)).toMatchInlineSnapshot(`"453dada24afb45944f7ec0217f60af3322e68e22250c18e49f66e3ca4eb7fa27"`)
})

test('createSimulation() gives other readings for another seed', () => {
  const other = pullAll(createSimulation({ ...everything, seed: 1 }))
    .toString('latin1')
    .split('\n')
  const same = new Set(whole.toString('latin1').split('\n'))
  expect(other.filter((line) => same.has(line)).length).toBeLessThan(other.length / 100)
})

test('createSimulation() does not mind the order in which faults are listed (T3)', () => {
  const reversed = { ...everything, faults: [...(everything.faults ?? [])].reverse() }
  expect(pullAll(createSimulation(reversed)).equals(whole)).toBe(true)
})

test('Simulation gives the same bytes however they are pulled (S2)', () => {
  const pulls = fc.array(
    fc.oneof(fc.integer({ min: simulatedLineBytesMax, max: 5000 }), fc.constant('next' as const)),
    {
      minLength: 1,
      maxLength: 20,
    },
  )
  fc.assert(
    fc.property(pulls, (pattern) => {
      const simulation = createSimulation(everything)
      const parts: Buffer[] = []
      for (let i = 0; ; i++) {
        const pull = pattern[i % pattern.length]
        if (typeof pull === 'number') {
          const target = new Uint8Array(pull)
          const length = simulation.fill(target)
          if (length === 0) break
          parts.push(Buffer.from(target.subarray(0, length)))
        } else {
          const line = simulation.next()
          if (line === null) break
          parts.push(Buffer.from(`${line.line}\n`, 'latin1'))
        }
      }
      return Buffer.concat(parts).equals(whole)
    }),
    { seed: 7, numRuns: 25 },
  )
})

test('Simulation.fill() stops before a time and goes on after it, with the same bytes (S2)', () => {
  const simulation = createSimulation(everything)
  const reference = createSimulation(everything)
  const target = new Uint8Array(1 << 16)
  const parts: Buffer[] = []
  for (let untilMs = everything.startMs; untilMs <= everything.startMs + everything.durationMs; untilMs += 7919) {
    for (let length = simulation.fill(target, untilMs); length > 0; length = simulation.fill(target, untilMs)) {
      const lines = Buffer.from(target.subarray(0, length))
      parts.push(lines)
      for (const _ of lines.toString('latin1').trimEnd().split('\n')) {
        expect(reference.next()?.arrivalMs).toBeLessThan(untilMs)
      }
    }
    expect(simulation.nextArrivalMs).toBeGreaterThanOrEqual(untilMs)
  }
  parts.push(pullAll(simulation))
  expect(Buffer.concat(parts).equals(whole)).toBe(true)
})

test('Simulation never goes back in arrival time, and ends with the run (S3)', () => {
  const simulation = createSimulation(everything)
  let last = everything.startMs
  for (const { arrivalMs } of simulation) {
    expect(arrivalMs).toBeGreaterThanOrEqual(last)
    last = arrivalMs
  }
  expect(last).toBeLessThanOrEqual(everything.startMs + everything.durationMs)
  expect(simulation.nextArrivalMs).toBe(everything.startMs + everything.durationMs)
  expect(simulation.next()).toBe(null)
  expect(simulation.fill(new Uint8Array(1000))).toBe(0)
})

test.each([
  0.1, 1,
])('Simulation sends each tick once; what comes on top and what lacks is counted, each fault at %d of the devices (S4)', (share) => {
  // True clocks, so that a line's timestamp says which tick it is.
  const faults = faultKinds.filter((kind) => faultTraits[kind].group !== 'clock').map((kind) => ({ kind, share }))
  const simulation = createSimulation({ ...everything, malformedShare: 0, faults })
  const gaps = simulation.groundTruth().filter((fault) => fault.fault === 'gap')
  const seen = new Map<string, number>()
  for (const { line, deviceId, timestampMs } of simulation) {
    seen.set(line, (seen.get(line) ?? 0) + 1)
    expect(gaps.filter((gap) => gap.deviceId === deviceId && gap.severityAt(timestampMs) > 0)).toEqual([])
  }
  const { counts } = simulation
  const slots = Array.from({ length: 33 }, (_, i) => Math.ceil((1_200_000 - (i * 1000) / 0.7 / 33) / (1000 / 0.7)))
  const expected = slots.reduce((a, b) => a + b)
  expect(seen.size).toBe(expected - counts.missing)
  expect(counts.lines).toBe(seen.size + counts.redelivered)
  expect(Math.min(counts.missing, counts.redelivered, counts.late)).toBeGreaterThan(20)
})

test('Simulation breaks the share of lines that was asked for, and counts them by reason', () => {
  const simulation = createSimulation({ ...everything, durationMs: 12_000_000, malformedShare: 0.03, faults: [] })
  let unreadable = 0
  for (const { line } of simulation) {
    try {
      const { deviceId, timestamp, ...channels } = JSON.parse(line)
      const values = Object.values(channels)
      const isGood =
        /^machine-\d\d$/.test(deviceId) && timestamp > 1e12 && values.length === 3 && values.every(Number.isFinite)
      if (!isGood) unreadable++
    } catch {
      unreadable++
    }
  }
  const { lines, malformed } = simulation.counts
  expect(Object.values(malformed).reduce((a, b) => a + b)).toBe(unreadable)
  // Five standard deviations of a binomial with 277,000 draws.
  expect(Math.abs(unreadable / lines - 0.03)).toBeLessThan(0.0017)
  expect(Object.keys(malformed).length).toBe(10)
})

test('Simulation holds a million devices in a bounded number of bytes each', () => {
  const simulation = createSimulation({
    ...everything,
    deviceCount: 1_000_000,
    ratePerDeviceHz: 0.01,
    durationMs: 1000,
  })
  expect(pullAll(simulation).length).toBeGreaterThan(1_000_000)
  expect(simulation.groundTruth().length).toBeGreaterThan(1_000_000)
})
