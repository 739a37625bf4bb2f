import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LeafGame } from './tree-shap-game.ts'

// The oracle is the definition: the average, over all orders of the features, of what each adds when it becomes known.

const seed = 20_260_214
const featuresMax = 6

function worthOf(
  known: ReadonlySet<number>,
  leaf: number,
  shares: readonly number[],
  satisfied: readonly number[],
): number {
  return shares.reduce((worth, share, i) => worth * (known.has(i) ? (satisfied[i] as number) : share), leaf)
}

function valuesByDefinition(leaf: number, shares: readonly number[], satisfied: readonly number[]): number[] {
  const values = shares.map(() => 0)
  let orderCount = 0
  const visit = (known: ReadonlySet<number>, gains: readonly number[]): void => {
    if (known.size === shares.length) {
      orderCount += 1
      gains.forEach((gain, i) => {
        values[i] = (values[i] as number) + gain
      })
      return
    }
    shares.forEach((_, i) => {
      if (known.has(i)) return
      const more = new Set([...known, i])
      const gain = worthOf(more, leaf, shares, satisfied) - worthOf(known, leaf, shares, satisfied)
      visit(more, gains.with(i, gain))
    })
  }
  visit(new Set(), values.slice())
  return values.map((value) => value / orderCount)
}

const features = fc.array(
  fc.record({
    share: fc.oneof(fc.double({ min: 1e-6, max: 1, noNaN: true }), fc.constantFrom(1, 0.5, 1e-12)),
    satisfied: fc.constantFrom(0, 1),
  }),
  { maxLength: featuresMax },
)

test('solve() gives the Shapley values of the definition, whatever was solved before', () => {
  const game = new LeafGame(featuresMax)
  const out = new Float64Array(featuresMax)
  fc.assert(
    fc.property(features, fc.double({ min: -10, max: 10, noNaN: true }), (path, leaf) => {
      const shares = path.map(({ share }) => share)
      const satisfied = path.map((one) => one.satisfied)
      game.solve(leaf, path.length, Float64Array.from(shares), Uint8Array.from(satisfied), out)
      const wanted = valuesByDefinition(leaf, shares, satisfied)
      wanted.forEach((value, i) => {
        expect(Math.abs((out[i] as number) - value)).toBeLessThan(1e-12)
      })
    }),
    { seed, numRuns: 150 },
  )
})

test('solve() shares out the difference between the leaf reached or missed and its average, up to 32 features', () => {
  const game = new LeafGame(32)
  for (const satisfiedCount of [0, 1, 16, 31, 32]) {
    const shares = Float64Array.from({ length: 32 }, (_, i) => (i + 1) / 33)
    const satisfied = Uint8Array.from({ length: 32 }, (_, i) => (i < satisfiedCount ? 1 : 0))
    const out = new Float64Array(32)
    game.solve(2, 32, shares, satisfied, out)
    const average = shares.reduce((product, share) => product * share, 2)
    expect(out.reduce((sum, value) => sum + value, 0)).toBeCloseTo((satisfiedCount === 32 ? 2 : 0) - average, 10)
  }
})
