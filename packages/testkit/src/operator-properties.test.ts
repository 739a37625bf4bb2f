/**
 * The promise of the operator as properties over random histories: a device's outputs are a function of its own records, in
 * their order, with their append times, and of nothing else.
 */
import type { Plan, WindowNode } from '@millwright/core'
import { describe, expect, test } from 'vitest'
import { byDeviceAndTopic, exactDifference } from './compare.ts'
import { createDirectEngine, type DirectEngineOptions, kernelDecoder, plainDecoder } from './direct-engine.ts'
import { randomScenario } from './scenario.ts'
import { type ScenarioOptions, seededRandom } from './scenario-plan.ts'
import type { RunResult, Step } from './steps.ts'

const windows: readonly WindowNode[] = [
  { kind: 'tumbling', sizeMs: 5000 },
  // Longer than jumps, the future guard and silence: they all happen within a window.
  { kind: 'tumbling', sizeMs: 300_000 },
  { kind: 'hopping', sizeMs: 10_000, slideMs: 4000 },
  { kind: 'hopping', sizeMs: 12_000, slideMs: 4000 },
  { kind: 'session', gapMs: 4000 },
  { kind: 'per-reading' },
]
const variants: readonly Omit<ScenarioOptions, 'window'>[] = [
  {},
  { appendTimes: false },
  { timestamp: 'arrival' },
  { alertRules: true },
]
const seedCount = Number(process.env['MILLWRIGHT_SEEDS'] ?? 4)

/** Runs `check` over histories of every kind of window. */
function overScenarios(check: (seed: number, plan: Plan, steps: readonly Step[]) => void): void {
  for (const window of windows)
    for (const variant of variants)
      for (let seed = 1; seed <= seedCount; seed++) {
        const scenario = randomScenario(1000 * seed + 7, { window, ...variant })
        check(seed, scenario.plan, scenario.steps)
      }
}

function run(plan: Plan, steps: readonly Step[], options: DirectEngineOptions = {}): RunResult {
  return createDirectEngine({ createDecoder: plainDecoder, ...options }).run(plan, steps) as RunResult
}

// Hundreds of histories each: half a minute a test, more on a busy machine.
describe('createPartitionOperator()', { timeout: 240_000 }, () => {
  test('gives the same whatever decoder, chunks and flushes', () => {
    overScenarios((seed, plan, steps) => {
      const whole = run(plan, steps)
      const others: readonly DirectEngineOptions[] = [
        { createDecoder: kernelDecoder },
        { lineByLine: true, flushAfter: () => true },
        { flushAfter: (step) => step % 3 === 0 },
      ]
      for (const options of others) {
        const other = run(plan, steps, options)
        expect(exactDifference(whole, other, { places: true }), `seed ${seed}`).toBeNull()
        expect(other.counters, `counters of seed ${seed}`).toEqual(whole.counters)
      }
    })
  })

  test('gives the same after a snapshot and a restore at any step', () => {
    overScenarios((seed, plan, steps) => {
      const whole = run(plan, steps)
      const random = seededRandom(seed)
      const restarts = steps.map(() => random() < 0.2)
      const restarted = run(plan, steps, { restartAfter: (step) => restarts[step] === true })
      expect(exactDifference(whole, restarted, { places: true }), `seed ${seed}`).toBeNull()
      expect(restarted.counters, `counters of seed ${seed}`).toEqual(whole.counters)
    })
  })

  test('gives the same with heartbeats anywhere, but for the place where a silence is noticed', () => {
    let silences = 0
    overScenarios((seed, plan, steps) => {
      const sparse = steps.filter(({ kind }) => kind !== 'heartbeat')
      const end = sparse.findIndex(({ kind }) => kind === 'end')
      // A last heartbeat on both sides: a silence after the last record is noticed by nothing else.
      if (lastAppendTime(sparse) !== null)
        sparse.splice(end < 0 ? sparse.length : end, 0, { kind: 'heartbeat', appendTimeMs: 1.9e12 })
      const random = seededRandom(seed)
      let nowMs = 0
      const dense = sparse.flatMap((step): Step[] => {
        const timeMs = appendTimeOf(step)
        if (timeMs === null) return [step]
        const between = Array.from({ length: Math.floor(random() * 3) }, (): Step => {
          nowMs = Math.min(timeMs, Math.max(nowMs, timeMs - Math.floor(random() * 40_000)))
          return { kind: 'heartbeat', appendTimeMs: nowMs }
        })
        nowMs = timeMs
        return [...between, step]
      })
      const few = run(plan, sparse)
      const many = run(plan, dense)
      expect(exactDifference(few, many, { places: false }), `seed ${seed}`).toBeNull()
      expect(many.counters, `counters of seed ${seed}`).toEqual(few.counters)
      silences += few.counters['devices_silent_total'] ?? 0
    })
    expect(silences).toBeGreaterThan(50)
  })

  test('gives a device the same whether other devices are there or not', () => {
    const id = 'press-1'
    overScenarios((seed, plan, steps) => {
      const alone = steps.map((step): Step => {
        if (step.kind !== 'readings' && step.kind !== 'events') return step
        const lines = new TextDecoder().decode(step.bytes).split('\n')
        const own = lines.map((line) => (line.includes(`"${id}"`) ? line : ''))
        return { ...step, bytes: new TextEncoder().encode(own.join('\n')) }
      })
      const among = byDeviceAndTopic(run(plan, steps).outputs)
      const single = byDeviceAndTopic(run(plan, alone).outputs)
      for (const key of [...among.keys()].filter((name) => name.endsWith(` of ${id}`)))
        expect(single.get(key), `${key}, seed ${seed}`).toEqual(among.get(key))
    })
  })

  test('gives device-features the same whatever models are published', () => {
    overScenarios((seed, plan, steps) => {
      const features = (result: RunResult): RunResult => ({
        ...result,
        outputs: result.outputs.filter(({ topic }) => topic === 'device-features'),
      })
      // An activation carries time forward, so a silence after the last record may be noticed by nothing but one.
      const without = steps.map((step): Step => {
        if (step.kind !== 'activate') return step
        return Number.isNaN(step.appendTimeMs)
          ? { kind: 'readings', bytes: new Uint8Array(0), appendTimeMs: Number.NaN }
          : { kind: 'heartbeat', appendTimeMs: step.appendTimeMs }
      })
      const difference = exactDifference(features(run(plan, without)), features(run(plan, steps)), { places: true })
      expect(difference, `seed ${seed}`).toBeNull()
    })
  })
})

function appendTimeOf(step: Step): number | null {
  return 'appendTimeMs' in step && !Number.isNaN(step.appendTimeMs) ? step.appendTimeMs : null
}

function lastAppendTime(steps: readonly Step[]): number | null {
  return steps.map(appendTimeOf).findLast((timeMs) => timeMs !== null) ?? null
}
