import { createSimulation, type SimulationOptions } from '@millwright/simulator'
import { expect, test } from 'vitest'
import { type Pace, pacedLines } from './paced-lines.ts'

const options: SimulationOptions = {
  seed: 5,
  deviceCount: 7,
  ratePerDeviceHz: 2,
  startMs: 1_767_571_200_000,
  durationMs: 60_000,
  faults: [{ kind: 'late-batch', share: 0.3 }],
}

/** A clock that moves only by waiting. */
function steppedPace(speed: number | null): Pace & { waits: number[] } {
  let nowMs = 5_000_000
  const waits: number[] = []
  return {
    speed,
    waits,
    now: () => nowMs,
    wait: async (ms) => {
      waits.push(ms)
      nowMs += ms
    },
  }
}

async function textOf(pace: Pace, signal = new AbortController().signal): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of pacedLines(createSimulation(options), pace, signal)) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const whole = [...createSimulation(options)].map(({ line }) => `${line}\n`).join('')

test('pacedLines() without a speed gives every line and never waits', async () => {
  const pace = steppedPace(null)
  expect(await textOf(pace)).toBe(whole)
  expect(pace.waits).toEqual([])
})

test.each([
  1, 60, 1e6,
])('pacedLines() at %d times the clock gives the same bytes in the time they take', async (speed) => {
  const pace = steppedPace(speed)
  expect(await textOf(pace)).toBe(whole)
  const waitedMs = pace.waits.reduce((a, b) => a + b, 0)
  expect(waitedMs).toBeGreaterThanOrEqual(59_000 / speed)
  expect(waitedMs).toBeLessThan(60_000 / speed + 100)
  expect(Math.min(...pace.waits)).toBeGreaterThanOrEqual(20)
})

test('pacedLines() gives no line before its time', async () => {
  const pace = steppedPace(10)
  const beganMs = pace.now()
  const arrivals = [...createSimulation(options)].map(({ arrivalMs }) => arrivalMs)
  let count = 0
  for await (const chunk of pacedLines(createSimulation(options), pace, new AbortController().signal)) {
    for (const byte of chunk) if (byte === 10) count++
    expect(arrivals[count - 1]).toBeLessThan(options.startMs + (pace.now() - beganMs) * 10 + 1)
  }
  expect(count).toBe(arrivals.length)
})

test('pacedLines() ends at once when it is aborted', async () => {
  const stop = new AbortController()
  const pace = steppedPace(1)
  const aborting: Pace = { ...pace, wait: async () => stop.abort() }
  expect(await textOf(aborting, stop.signal)).toBe('')
})
