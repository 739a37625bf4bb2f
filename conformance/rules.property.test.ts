/**
 * Each rule of time as a property: what must hold whatever the history. The scripts beside this file say what happens in one
 * history; most of these change a history in one way and say what that may change.
 */
import type { OutputTopic, Plan, WindowNode } from '@millwright/core'
import {
  createDirectEngine,
  type PlanSketch,
  plainDecoder,
  planOf,
  type RunResult,
  type Step,
  seededRandom,
} from '@millwright/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const beginMs = 1_767_225_600_000
const dayMs = 86_400_000

interface Reading {
  readonly deviceId: string
  readonly timestamp: number
  readonly x: number
}

/** A reading with the append time it came at. */
interface Arrival extends Reading {
  readonly appendTimeMs: number
}

/** What a message about a window says. */
interface Features {
  readonly deviceId: string
  readonly windowStart: number
  readonly windowEnd: number
  readonly revision: number
  readonly readingCount: number
  readonly features: Readonly<Record<string, number | null>>
}

/** Readings of three devices, a good part of them out of order by up to `disorderMs`; no two are the same. */
function history(seed: number, disorderMs: number, count = 60): Arrival[] {
  const random = seededRandom(seed)
  let nowMs = beginMs
  return Array.from({ length: count }, (_, i) => {
    nowMs += Math.floor(random() * 2500)
    const late = random() < 0.4 ? Math.floor(random() * disorderMs) : 0
    const deviceId = `d${Math.floor(random() * 3)}`
    return { deviceId, timestamp: nowMs - late, x: i + Math.round(random() * 100) / 128, appendTimeMs: nowMs }
  })
}

const encoder = new TextEncoder()

function stepOf(reading: object, appendTimeMs = Number.NaN): Step {
  return { kind: 'readings', bytes: encoder.encode(JSON.stringify(reading)), appendTimeMs }
}

/** The readings as a file that is replayed. */
const replayed = (readings: readonly Arrival[]): Step[] =>
  readings.map(({ appendTimeMs: _, ...reading }) => stepOf(reading))
/** The readings as they came to the log. */
const logged = (readings: readonly Arrival[]): Step[] =>
  readings.map(({ appendTimeMs, ...reading }) => stepOf(reading, appendTimeMs))

const end: Step = { kind: 'end' }

function run(plan: Plan, steps: readonly Step[]): RunResult {
  return createDirectEngine({ createDecoder: plainDecoder }).run(plan, steps) as RunResult
}

const linesOf = (result: RunResult, ...topics: OutputTopic[]): string[] =>
  result.outputs.filter(({ topic }) => topics.includes(topic)).map(({ line }) => line)
const featuresOf = (result: RunResult): Features[] =>
  linesOf(result, 'device-features').map((line) => JSON.parse(line) as Features)
/** A device's messages on a topic. */
const ofDevice = (result: RunResult, topic: OutputTopic, deviceId: string): string[] =>
  result.outputs.filter((output) => output.topic === topic && output.deviceId === deviceId).map(({ line }) => line)
const counter = (result: RunResult, name: string): number => result.counters[name] ?? 0

/** The last result of each window. */
function lastResults(result: RunResult): Map<string, Features> {
  return new Map(featuresOf(result).map((window) => [`${window.deviceId} ${window.windowStart}`, window]))
}

/** Returns a plan with count, mean and last of `x`. */
function simplePlan(sketch: PlanSketch = {}): Plan {
  return planOf({
    features: {
      count: { kind: 'aggregate', statistic: 'count', channel: null },
      max: { kind: 'aggregate', statistic: 'max', channel: 'x' },
      last: { kind: 'aggregate', statistic: 'last', channel: 'x' },
    },
    ...sketch,
    time: { graceMs: 2000, maxJumpMs: dayMs, silentAfterMs: 100 * dayMs, forgetAfterMs: 200 * dayMs, ...sketch.time },
  })
}

/** Runs a property over many seeds; the failing one is printed and shrunk towards small seeds. */
function overSeeds(check: (seed: number, random: () => number) => void): void {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000 }), (seed) => check(seed, seededRandom(seed + 1))),
    { numRuns: 60, seed: 2026 },
  )
}

/** Groups readings the way a batch job would: by device and the windows that contain each. */
function batchCounts(readings: readonly Reading[], sizeMs: number, slideMs: number): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { deviceId, timestamp } of readings)
    for (let start = Math.floor(timestamp / slideMs) * slideMs; start + sizeMs > timestamp; start -= slideMs)
      counts.set(`${deviceId} ${start}`, (counts.get(`${deviceId} ${start}`) ?? 0) + 1)
  return counts
}

const countsOf = (result: RunResult): Map<string, number> =>
  new Map([...lastResults(result)].map(([key, { readingCount }]) => [key, readingCount]))

const sorted = (map: Map<string, number>): [string, number][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

describe('device clock and grace', () => {
  test.each<{ window: WindowNode; sizeMs: number; slideMs: number }>([
    { window: { kind: 'tumbling', sizeMs: 10_000 }, sizeMs: 10_000, slideMs: 10_000 },
    { window: { kind: 'hopping', sizeMs: 15_000, slideMs: 4000 }, sizeMs: 15_000, slideMs: 4000 },
  ])('with grace beyond all disorder, $window.kind windows are those of a batch job', ({ window, sizeMs, slideMs }) => {
    overSeeds((seed) => {
      const readings = history(seed, 8000)
      const result = run(simplePlan({ window, time: { graceMs: 8000 } }), [...replayed(readings), end])
      expect(sorted(countsOf(result))).toEqual(sorted(batchCounts(readings, sizeMs, slideMs)))
      expect(counter(result, 'late_readings_total')).toBe(0)
    })
  })

  test('a device’s windows close in order of end, each once', () => {
    overSeeds((seed) => {
      const result = run(simplePlan({ window: { kind: 'hopping', sizeMs: 10_000, slideMs: 3000 } }), [
        ...replayed(history(seed, 15_000)),
        end,
      ])
      for (const deviceId of ['d0', 'd1', 'd2']) {
        const ends = featuresOf(result).filter((window) => window.deviceId === deviceId)
        for (const [i, window] of ends.entries()) {
          expect(window.revision).toBe(0)
          if (i > 0) expect(window.windowEnd).toBeGreaterThan(ends[i - 1]?.windowEnd ?? 0)
        }
      }
    })
  })

  test('what one device sends changes nothing of another, be its clock a century off', () => {
    overSeeds((seed, random) => {
      const readings = history(seed, 5000)
      const at = Math.floor(random() * readings.length)
      const mad = { deviceId: 'mad', timestamp: beginMs + 36_500 * dayMs, x: 1, appendTimeMs: Number.NaN }
      const plan = simplePlan()
      const calm = run(plan, [...replayed(readings), end])
      const among = run(plan, [...replayed(readings.toSpliced(at, 0, mad)), end])
      for (const deviceId of ['d0', 'd1', 'd2'])
        expect(ofDevice(among, 'device-features', deviceId)).toEqual(ofDevice(calm, 'device-features', deviceId))
    })
  })
})

describe('jumps', () => {
  const plan = simplePlan({ time: { maxJumpMs: 60_000 } })

  test('a lone reading far ahead becomes one dead letter and changes nothing else', () => {
    overSeeds((seed, random) => {
      const readings = history(seed, 5000)
      const at = 10 + Math.floor(random() * 40)
      const deviceId = 'd1'
      // Something must be there before it, whose clock it is ahead of, and after it, which refutes it.
      if (!readings.slice(0, at).some((reading) => reading.deviceId === deviceId)) return
      if (!readings.slice(at).some((reading) => reading.deviceId === deviceId)) return
      const lone = { deviceId, timestamp: beginMs + dayMs, x: 9, appendTimeMs: Number.NaN }
      const before = run(plan, [...replayed(readings), end])
      const after = run(plan, [...replayed(readings.toSpliced(at, 0, lone)), end])
      const topics = ['device-features', 'late-readings', 'device-status'] as const
      expect(linesOf(after, ...topics)).toEqual(linesOf(before, ...topics))
      expect(counter(after, 'dead_letters_total{reason="jump-not-confirmed"}')).toBe(1)
      expect(counter(after, 'readings_accepted_total')).toBe(readings.length)
    })
  })

  test('two readings far ahead of one another’s time both count', () => {
    overSeeds((seed) => {
      const readings = history(seed, 5000).filter(({ deviceId }) => deviceId === 'd0')
      if (readings.length === 0) return
      const far = [0, 59_000].map((ms) => ({ deviceId: 'd0', timestamp: beginMs + dayMs + ms, x: ms, appendTimeMs: 0 }))
      const result = run(plan, [...replayed([...readings, ...far]), end])
      expect(counter(result, 'readings_accepted_total')).toBe(readings.length + 2)
      expect(linesOf(result, 'dead-letters')).toEqual([])
    })
  })
})

describe('late readings', () => {
  test('every accepted reading is in the last result of its window, or late', () => {
    let lateCount = 0
    overSeeds((seed) => {
      const readings = history(seed, 20_000)
      const result = run(simplePlan(), [...replayed(readings), end])
      const inWindows = [...countsOf(result).values()].reduce((a, b) => a + b, 0)
      expect(inWindows + counter(result, 'late_readings_total')).toBe(readings.length)
      lateCount += linesOf(result, 'late-readings').length
      expect(linesOf(result, 'late-readings').length).toBe(counter(result, 'late_readings_total'))
    })
    expect(lateCount).toBeGreaterThan(100)
  })

  test('a late reading changes no window', () => {
    overSeeds((seed, random) => {
      const readings = history(seed, 1000)
      const first = readings[0] as Arrival
      const at = readings.findIndex(
        ({ timestamp, deviceId }) => deviceId === first.deviceId && timestamp > beginMs + 30_000,
      )
      if (at < 0) return
      const late = { ...first, timestamp: first.timestamp - 20_000 - Math.floor(random() * 1000), x: 1e6 }
      const plan = simplePlan()
      const before = run(plan, [...replayed(readings), end])
      const after = run(plan, [...replayed(readings.toSpliced(at + 1, 0, late)), end])
      expect(linesOf(after, 'device-features')).toEqual(linesOf(before, 'device-features'))
      expect(counter(after, 'late_readings_total')).toBe(counter(before, 'late_readings_total') + 1)
    })
  })

  test('with allowed lateness beyond all disorder nothing is late, and the last revisions are those of a batch job', () => {
    let revisions = 0
    overSeeds((seed) => {
      const readings = history(seed, 20_000)
      const plan = simplePlan({ time: { graceMs: 0, allowedLatenessMs: 20_000 } })
      const result = run(plan, [...replayed(readings), end])
      expect(sorted(countsOf(result))).toEqual(sorted(batchCounts(readings, 10_000, 10_000)))
      expect(linesOf(result, 'late-readings')).toEqual([])
      const seen = new Map<string, number>()
      for (const { deviceId, windowStart, revision } of featuresOf(result)) {
        const key = `${deviceId} ${windowStart}`
        expect(revision).toBe(seen.get(key) ?? 0)
        seen.set(key, revision + 1)
        if (revision > 0) revisions += 1
      }
    })
    expect(revisions).toBeGreaterThan(100)
  })
})

describe('session windows', () => {
  test('with grace beyond all disorder, sessions are those of the sorted readings', () => {
    overSeeds((seed) => {
      const gapMs = 4000
      const readings = history(seed, 8000)
      const plan = simplePlan({ window: { kind: 'session', gapMs }, time: { graceMs: 8000 } })
      const result = run(plan, [...replayed(readings), end])
      for (const deviceId of ['d0', 'd1', 'd2']) {
        const times = readings.filter((reading) => reading.deviceId === deviceId).map(({ timestamp }) => timestamp)
        const wanted: { windowStart: number; windowEnd: number; readingCount: number }[] = []
        for (const time of times.sort((a, b) => a - b)) {
          const last = wanted.at(-1)
          if (last !== undefined && time < last.windowEnd) {
            last.windowEnd = time + gapMs
            last.readingCount += 1
          } else wanted.push({ windowStart: time, windowEnd: time + gapMs, readingCount: 1 })
        }
        const found = ofDevice(result, 'device-features', deviceId).map((line) => {
          const { windowStart, windowEnd, readingCount } = JSON.parse(line) as Features
          return { windowStart, windowEnd, readingCount }
        })
        expect(found).toEqual(wanted)
      }
    })
  })
})

describe('per-reading windows', () => {
  test('every accepted reading gives one result at once, in order of arrival', () => {
    overSeeds((seed) => {
      const readings = history(seed, 30_000)
      const steps = replayed(readings)
      const result = run(simplePlan({ window: { kind: 'per-reading' } }), steps)
      expect(result.outputs.map(({ step }) => step)).toEqual(steps.map((_, step) => step))
      expect(featuresOf(result).map(({ features }) => features['last'])).toEqual(readings.map(({ x }) => x))
    })
  })
})

describe('future guard', () => {
  test('a reading beyond it is a dead letter and does what a line that is no reading does', () => {
    overSeeds((seed, random) => {
      const readings = history(seed, 5000)
      const at = 1 + Math.floor(random() * 50)
      const { appendTimeMs, deviceId } = readings[at] as Arrival
      const plan = simplePlan({ time: { maxClockAheadMs: 30_000 } })
      const ahead = stepOf(
        { deviceId, timestamp: appendTimeMs + 30_001 + Math.floor(random() * 1000), x: 5 },
        appendTimeMs,
      )
      const garbage: Step = { kind: 'readings', bytes: encoder.encode('?'), appendTimeMs }
      const result = run(plan, logged(readings).toSpliced(at, 0, ahead))
      const other = run(plan, logged(readings).toSpliced(at, 0, garbage))
      expect(linesOf(result, 'device-features', 'late-readings')).toEqual(
        linesOf(other, 'device-features', 'late-readings'),
      )
      expect(counter(result, 'dead_letters_total{reason="future"}')).toBe(1)
      expect(counter(result, 'readings_accepted_total')).toBe(readings.length)
    })
  })
})

describe('silence', () => {
  test('it gives windows early and loses nothing: their last results are those without silence', () => {
    let silences = 0
    let revisions = 0
    overSeeds((seed) => {
      const readings = history(seed, 5000)
      const restless = run(simplePlan({ time: { silentAfterMs: 2500 } }), [...logged(readings), end])
      const calm = run(simplePlan(), [...logged(readings), end])
      const content = (result: RunResult): [string, unknown][] =>
        [...lastResults(result)].map(([key, { revision: _, ...window }]): [string, unknown] => [key, window]).sort()
      expect(content(restless)).toEqual(content(calm))
      silences += counter(restless, 'devices_silent_total')
      revisions += counter(restless, 'window_revisions_total')
    })
    expect(silences).toBeGreaterThan(100)
    expect(revisions).toBeGreaterThan(50)
  })

  test('silences and returns take turns, each silence at its device’s own deadline', () => {
    overSeeds((seed) => {
      const readings = history(seed, 5000)
      const silentAfterMs = 3000
      const last = readings.at(-1)?.appendTimeMs ?? 0
      const plan = simplePlan({ time: { silentAfterMs } })
      const result = run(plan, [...logged(readings), { kind: 'heartbeat', appendTimeMs: last + 10_000 }])
      for (const deviceId of ['d0', 'd1', 'd2']) {
        const heard = readings
          .filter((reading) => reading.deviceId === deviceId)
          .map(({ appendTimeMs }) => appendTimeMs)
        const wanted = heard.flatMap((atMs, i) => {
          const next = heard[i + 1] ?? Number.POSITIVE_INFINITY
          if (next - atMs < silentAfterMs) return []
          const silent = { deviceId, kind: 'device-silent', at: atMs + silentAfterMs }
          return next === Number.POSITIVE_INFINITY
            ? [silent]
            : [silent, { deviceId, kind: 'device-returned', at: next }]
        })
        expect(ofDevice(result, 'device-status', deviceId).map((line) => JSON.parse(line))).toEqual(wanted)
      }
    })
  })
})

describe('redelivery', () => {
  test('sending any of the last 16 readings of a device again changes nothing but the count', () => {
    overSeeds((seed, random) => {
      const readings = history(seed, 10_000)
      const at = Math.floor(random() * readings.length)
      const { deviceId } = readings[at] as Arrival
      const own = readings.slice(0, at + 1).filter((reading) => reading.deviceId === deviceId)
      const again = own.slice(-16)[Math.floor(random() * Math.min(16, own.length))] as Arrival
      const plan = simplePlan()
      const once = run(plan, [...replayed(readings), end])
      const twice = run(plan, [...replayed(readings.toSpliced(at + 1, 0, again)), end])
      expect(twice.outputs.map(({ line }) => line)).toEqual(once.outputs.map(({ line }) => line))
      expect(twice.counters).toEqual({
        ...once.counters,
        readings_in_total: readings.length + 1,
        redelivered_total: 1,
      })
    })
  })
})

describe('model activation', () => {
  test('each window is scored by the newest activation that was in force when its record came', () => {
    let alerts = 0
    overSeeds((seed, random) => {
      const readings = history(seed, 5000)
      const activations: { version: string; effectiveFromMs: number }[] = []
      const steps = logged(readings).flatMap((step, i): Step[] => {
        if (random() > 0.2) return [step]
        const appendTimeMs = readings[i]?.appendTimeMs ?? 0
        const activeFromMs = appendTimeMs + Math.floor(random() * 20_000 - 5000)
        const version = `v${i}`
        activations.push({ version, effectiveFromMs: Math.max(activeFromMs, appendTimeMs + 1) })
        return [
          { kind: 'activate', model: { version, probability: 0.5, threshold: 1 }, activeFromMs, appendTimeMs },
          step,
        ]
      })
      const result = run(simplePlan(), steps)
      for (const { line, step } of result.outputs.filter(({ topic }) => topic === 'alert-signals')) {
        const cause = steps[step ?? 0] as Step & { appendTimeMs: number }
        const inForce = activations
          .filter(({ effectiveFromMs }) => effectiveFromMs <= cause.appendTimeMs)
          .reduce((a, b) => (b.effectiveFromMs >= a.effectiveFromMs ? b : a))
        expect((JSON.parse(line) as { model: { version: string } }).model.version).toBe(inForce.version)
        alerts += 1
      }
    })
    expect(alerts).toBeGreaterThan(100)
  })
})

describe('device events', () => {
  const plan = simplePlan({
    features: {
      errors: { kind: 'count-of', eventType: 'error', hours: 10 },
      since: { kind: 'hours-since', eventType: 'error' },
    },
  })
  const event = (timestamp: number): Step => ({
    kind: 'events',
    bytes: encoder.encode(JSON.stringify({ deviceId: 'd0', timestamp, type: 'error' })),
    appendTimeMs: Number.NaN,
  })

  test('each window counts those at or before its end that were there when it closed', () => {
    overSeeds((seed, random) => {
      const readings = history(seed, 3000)
      const steps = replayed(readings).flatMap((step, i): Step[] =>
        random() < 0.3 ? [event((readings[i]?.timestamp ?? 0) + Math.floor(random() * 20_000 - 10_000)), step] : [step],
      )
      const result = run(plan, steps)
      for (const { line, step } of result.outputs.filter(({ deviceId }) => deviceId === 'd0')) {
        const { windowEnd, features } = JSON.parse(line) as Features
        const there = steps
          .slice(0, step ?? 0)
          .filter(({ kind }) => kind === 'events')
          .map(
            (before) =>
              JSON.parse(new TextDecoder().decode((before as { bytes: Uint8Array }).bytes)).timestamp as number,
          )
          .filter((time) => time <= windowEnd)
        const distinct = new Set(there)
        expect(features['errors']).toBe(distinct.size)
        expect(features['since']).toBe(distinct.size === 0 ? null : (windowEnd - Math.max(...distinct)) / 3_600_000)
      }
    })
  })
})

describe("timestamp: 'arrival'", () => {
  test('is event time where every device stamps its readings with their append time', () => {
    overSeeds((seed) => {
      const readings = history(seed, 5000)
      const honest = readings.map((reading) => ({ ...reading, timestamp: reading.appendTimeMs }))
      const arrival = run(simplePlan({ time: { timestamp: 'arrival' } }), [...logged(readings), end])
      const stamped = run(simplePlan(), [...logged(honest), end])
      expect(linesOf(arrival, 'device-features')).toEqual(linesOf(stamped, 'device-features'))
    })
  })
})

describe('forgetting', () => {
  test('what a device does after it was forgotten is what a new device does', () => {
    overSeeds((seed, random) => {
      const readings = history(seed, 5000)
      const cut = 10 + Math.floor(random() * 40)
      const plan = simplePlan({ time: { silentAfterMs: 100_000, forgetAfterMs: 1_000_000 } })
      // Before the cut in another time altogether: what was known of the clocks must not matter.
      const before = readings
        .slice(0, cut)
        .map((reading) => ({ ...reading, timestamp: reading.timestamp - 1000 * dayMs }))
      const after = readings
        .slice(cut)
        .map((reading) => ({ ...reading, appendTimeMs: reading.appendTimeMs + 2_000_000 }))
      const whole = run(plan, [...logged(before), ...logged(after), end])
      const alone = run(plan, [...logged(after), end])
      for (const deviceId of new Set(after.map((reading) => reading.deviceId))) {
        const later = whole.outputs.filter(({ step, topic }) => (step ?? 0) >= cut && topic === 'device-features')
        const own = later.filter((output) => output.deviceId === deviceId).map(({ line }) => line)
        const wanted = ofDevice(alone, 'device-features', deviceId)
        // The silence that comes before forgetting gives the old windows first.
        expect(own.slice(own.length - wanted.length)).toEqual(wanted)
      }
      expect(counter(whole, 'devices_forgotten_total')).toBeGreaterThan(0)
    })
  })
})

describe('end of bounded input', () => {
  test('closes what a reading far ahead would have closed, and a waiting reading counts', () => {
    overSeeds((seed) => {
      const readings = history(seed, 5000)
      const far = ['d0', 'd1', 'd2'].map((deviceId) => ({
        deviceId,
        timestamp: beginMs + dayMs,
        x: 0,
        appendTimeMs: 0,
      }))
      const wide = simplePlan({ time: { maxJumpMs: 365 * dayMs } })
      const closed = run(wide, replayed([...readings, ...far]))
      const ended = run(simplePlan({ time: { maxJumpMs: dayMs / 2 } }), [...replayed([...readings, ...far]), end])
      for (const { deviceId } of far) {
        const results = ofDevice(ended, 'device-features', deviceId)
        const known = readings.some((reading) => reading.deviceId === deviceId)
        expect(results.slice(0, -1)).toEqual(known ? ofDevice(closed, 'device-features', deviceId) : [])
        expect(JSON.parse(results.at(-1) ?? '{}')).toMatchObject({ windowStart: beginMs + dayMs, readingCount: 1 })
      }
    })
  })
})
