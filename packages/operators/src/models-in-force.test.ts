import { type LoadedModel, limits } from '@millwright/core'
import { constantModel } from '@millwright/testkit'
import { describe, expect, test } from 'vitest'
import { ModelsInForce } from './models-in-force.ts'

const model = (version: string): LoadedModel => constantModel({ version, probability: 0.5, threshold: 0.5 }, ['x'])

describe('ModelsInForce', () => {
  test('is in force from activeFrom, or from just after it was seen (M1)', () => {
    const models = new ModelsInForce()
    expect(models.add({ model: model('early'), activeFromMs: 200, seenAtMs: 100 })).toBe(false)
    expect(models.at(199)).toBeNull()
    expect(models.at(200)?.version).toBe('early')
    expect(models.add({ model: model('late'), activeFromMs: 250, seenAtMs: 300 })).toBe(true)
    expect(models.at(300)?.version).toBe('early')
    expect(models.at(301)?.version).toBe('late')
    expect(models.add({ model: model('at once'), activeFromMs: 400, seenAtMs: 400 })).toBe(true)
    expect(models.at(400)?.version).toBe('late')
  })

  test('takes the greatest effective time, of equal ones the last seen (M2), without append times the last seen (M3)', () => {
    const models = new ModelsInForce()
    models.add({ model: model('a'), activeFromMs: 500, seenAtMs: 1 })
    models.add({ model: model('b'), activeFromMs: 500, seenAtMs: 2 })
    models.add({ model: model('c'), activeFromMs: 300, seenAtMs: 3 })
    expect([300, 499, 500, 9e9].map((at) => models.at(at)?.version)).toEqual(['c', 'c', 'b', 'b'])
    expect(models.at(Number.NaN)?.version).toBe('c')
    expect(models.seen().map((activation) => activation.model.version)).toEqual(['a', 'b', 'c'])
  })

  test('gives up what a newer one has replaced, and nothing that may still be asked for (M4)', () => {
    const models = new ModelsInForce()
    const kept = (): string[] => models.seen().map((activation) => activation.model.version)
    for (const [version, from] of [
      ['a', 100],
      ['b', 200],
      ['c', 300],
      ['d', 900],
    ] as const)
      models.add({ model: model(version), activeFromMs: from, seenAtMs: 0 })
    models.timeCame(199)
    expect(kept()).toEqual(['a', 'b', 'c', 'd'])
    models.timeCame(300)
    expect(kept()).toEqual(['c', 'd'])
    expect([300, 899, 900].map((at) => models.at(at)?.version)).toEqual(['c', 'c', 'd'])
    models.timeCame(299)
    expect(kept()).toEqual(['c', 'd'])
    // In force for nothing that closes any more, but the last one seen.
    models.add({ model: model('e'), activeFromMs: 250, seenAtMs: 0 })
    models.timeCame(400)
    expect(kept()).toEqual(['c', 'd', 'e'])
    expect(models.at(400)?.version).toBe('c')
    expect(models.at(Number.NaN)?.version).toBe('e')
  })

  test('keeps the newest activationsMax (M5)', () => {
    const models = new ModelsInForce()
    for (let i = 0; i <= limits.activationsMax; i++)
      models.add({ model: model(`v${i}`), activeFromMs: 1000 + i, seenAtMs: 0 })
    expect(models.at(1000)).toBeNull()
    expect(models.at(1001)?.version).toBe('v1')
    expect(models.seen().length).toBe(limits.activationsMax)
  })
})
