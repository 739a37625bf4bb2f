import type { WindowNode } from '@millwright/core'
import { describe, expect, test } from 'vitest'
import { roughDifference } from './compare.ts'
import { createDirectEngine, plainDecoder } from './direct-engine.ts'
import { createNaiveEngine } from './naive/naive-operator.ts'
import { randomScenario } from './scenario.ts'
import type { RunResult } from './steps.ts'

const windows: readonly WindowNode[] = [
  { kind: 'tumbling', sizeMs: 5000 },
  // Longer than jumps, the future guard and silence: they all happen within a window.
  { kind: 'tumbling', sizeMs: 300_000 },
  { kind: 'hopping', sizeMs: 10_000, slideMs: 4000 },
  { kind: 'hopping', sizeMs: 12_000, slideMs: 4000 },
  { kind: 'session', gapMs: 4000 },
  { kind: 'per-reading' },
]
const direct = createDirectEngine({ createDecoder: plainDecoder })
const naive = createNaiveEngine()
/** MILLWRIGHT_SEEDS asks for more. */
const seedCount = Number(process.env['MILLWRIGHT_SEEDS'] ?? 25)

describe.each(windows)('createPartitionOperator() agrees with the naive operator on %o', (window) => {
  test.each([
    { what: 'with append times', options: {} },
    { what: 'replayed', options: { appendTimes: false } },
    { what: 'with arrival times', options: { timestamp: 'arrival' } },
    { what: 'with an alert policy', options: { alertRules: true } },
    { what: 'replayed with an alert policy', options: { alertRules: true, appendTimes: false } },
  ] as const)('$what', async ({ options }) => {
    for (let seed = 1; seed <= seedCount; seed++) {
      const { plan, steps } = randomScenario(seed, { window, ...options })
      const fast = await direct.run(plan, steps)
      const slow = await naive.run(plan, steps)
      expect(roughDifference(fast, slow), `seed ${seed}`).toBeNull()
      expect(nonZero(fast), `counters of seed ${seed}`).toEqual(nonZero(slow))
    }
  })
})

function nonZero({ counters }: RunResult): Record<string, number> {
  return Object.fromEntries(Object.entries(counters).filter(([, value]) => value !== 0))
}
