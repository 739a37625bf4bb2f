/** Method: against regular expressions, over random patterns and ids of few letters, so that many match. */
import type { DevicePolicy } from '@millwright/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AlertPolicies } from './alert-policies.ts'

const policyOf = (threshold: number): DevicePolicy => ({
  levels: [{ severity: 'warning', threshold, clearThreshold: null }],
  windows: { high: 1, of: 1 },
  minimumDurationMs: 0,
  clearAfterMs: null,
})

const text = (letters: string, maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...letters), { maxLength }).map((parts) => parts.join(''))

describe('AlertPolicies', () => {
  test('gives the policy of the first entry of which one pattern matches the whole id', () => {
    const patterns = fc.array(fc.array(text('ab.*', 5), { minLength: 1, maxLength: 3 }), { maxLength: 5 })
    let matched = 0
    fc.assert(
      fc.property(patterns, text('ab.', 6), (entries, id) => {
        const devices = entries.map((match, i) => ({ match, policy: policyOf(i / 10) }))
        const policies = new AlertPolicies({ policy: policyOf(1), devices, mutes: [] })
        const expressions = entries.map((match) =>
          match.map((pattern) => new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`)),
        )
        const wanted = expressions.findIndex((match) => match.some((expression) => expression.test(id)))
        if (wanted >= 0) matched += 1
        expect(policies.of(id).levels[0]?.threshold).toBe(wanted < 0 ? 1 : wanted / 10)
      }),
      { numRuns: 2000 },
    )
    expect(matched).toBeGreaterThan(300)
  })

  test('keeps as many windows as the policy that looks back farthest, and says whether alerts end by time', () => {
    const rules = { policy: policyOf(1), devices: [], mutes: [] }
    expect(new AlertPolicies(rules)).toMatchObject({ windowsMax: 1, timed: false })
    const far = { ...policyOf(1), windows: { high: 2, of: 7 }, clearAfterMs: 5 }
    expect(new AlertPolicies({ ...rules, devices: [{ match: ['a'], policy: far }] })).toMatchObject({
      windowsMax: 7,
      timed: true,
    })
  })
})
