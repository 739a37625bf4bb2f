import { ConfigurationError, limits } from '@millwright/core'
import { constantModel, createPlanDriver, plainDecoder, planOf } from '@millwright/testkit'
import { describe, expect, test } from 'vitest'
import { createPartitionOperator } from './index.ts'

const startMs = 1_766_000_000_000

describe('createPartitionOperator()', () => {
  test('refuses plans that definePlant would have refused', () => {
    const make = (sketch: Parameters<typeof planOf>[0]) => () => createPlanDriver(planOf(sketch))
    expect(make({ window: { kind: 'hopping', sizeMs: 86_400_000, slideMs: 1000 } })).toThrow('at most 2048 windows')
    expect(make({ time: { forgetAfterMs: 1 } })).toThrow('silent before it is forgotten')
    expect(make({ features: { mean: { kind: 'aggregate', statistic: 'mean', channel: 'z' } } })).toThrow('"z" is none')
    const mean = { kind: 'aggregate', statistic: 'mean', channel: 'x' } as const
    expect(make({ features: { lag: { kind: 'lag', of: mean, windows: 1025 } } })).toThrow('at most 1024 windows')
  })

  test("refuses a model that does not take the plan's features", () => {
    const model = constantModel({ version: '1', probability: 0.5, threshold: 0.5 }, ['a', 'b'])
    expect(() => createPlanDriver(planOf()).activate(model)).toThrow("must take the plan's 1 features")
  })

  test('holds no more models in memory after a hundred swaps than after two', () => {
    const driver = createPlanDriver(planOf())
    for (let i = 0; i < 100; i++) {
      driver.appendTimeMs = startMs + 1000 * i
      driver.activate(
        constantModel({ version: `v${i}`, probability: 0.5, threshold: 0.5 }, ['mean']),
        startMs + 1000 * i + 500,
      )
    }
    expect(driver.operator.takeShared().activations.map(({ version }) => version)).toEqual(['v98', 'v99'])
  })

  test('refuses to replay a file where arrival is event time', () => {
    const driver = createPlanDriver(planOf({ time: { timestamp: 'arrival' } }))
    expect(() => driver.reading({ deviceId: 'd', x: 1 })).toThrow(ConfigurationError)
  })

  test('takes a file read into its own memory like bytes handed over', () => {
    const lines =
      '{"deviceId":"d","timestamp":1766000000000,"x":1}\n\n{"deviceId":"d","timestamp":1766000000001,"x":3}\nbad\n'
    const bytes = new TextEncoder().encode(lines)
    const offsets: number[] = []
    const plan = planOf()
    const operator = createPartitionOperator({
      plan,
      decoder: plainDecoder(plan),
      sink: { emit: (_topic, _id, inputOffset) => offsets.push(inputOffset) },
    })
    operator.input(bytes.length).set(bytes)
    operator.readingsInput(bytes.length, 100, Number.NaN)
    operator.endOfInput(200)
    operator.flush()
    expect(offsets).toEqual([103, 200])
    expect(operator.counters['readings_in_total']).toBe(3)
  })

  test('counts every line once: what comes in is accepted, dropped, redelivered, refused, or waits', () => {
    const driver = createPlanDriver(
      planOf({ cleaning: [{ kind: 'range', name: 'x"', channel: 'x', min: 0, max: 9, onBad: 'drop' }] }),
    )
    const at = (seconds: number, x: unknown) => ({ deviceId: 'd', timestamp: startMs + seconds * 1000, x })
    for (const reading of [at(0, 1), at(0, 1), at(1, 99), at(2, 'x'), at(200_000, 5), '{']) driver.reading(reading)
    const counters = driver.operator.counters
    expect(counters).toMatchObject({
      readings_in_total: 6,
      readings_accepted_total: 1,
      redelivered_total: 1,
      'readings_dropped_total{rule="x\\""}': 1,
      'dead_letters_total{reason="channel-not-a-number"}': 1,
      'dead_letters_total{reason="not-json"}': 1,
    })
    driver.endOfInput()
    expect(driver.counter('readings_accepted_total')).toBe(2)
  })

  test('bounds what waits to be emitted', () => {
    const driver = createPlanDriver(planOf())
    for (let i = 0; i < 10_000; i++) driver.reading('?')
    let emitted = 0
    const plan = planOf()
    const operator = createPartitionOperator({
      plan,
      decoder: plainDecoder(plan),
      sink: { emit: () => (emitted += 1) },
    })
    operator.readings(new TextEncoder().encode('?\n'.repeat(10_000)), 0, Number.NaN)
    expect(emitted).toBeGreaterThan(8000)
    expect(limits.batchRowsMax).toBeLessThan(8192)
  })
})
