import type { SeenActivation } from '@millwright/engine'
import { expect, test } from 'vitest'
import { listModels } from './model-desk.ts'
import { PackageJudge, type Publications } from './published-models.ts'

/** A judge that knows its verdicts: packages are opened in the test of the first model. */
class FixedJudge extends PackageJudge {
  readonly #refused: readonly string[]

  constructor(refused: readonly string[]) {
    super(undefined as never, '')
    this.#refused = refused
  }

  override refusal(sha256: string): { reason: string; message: string } | null {
    return this.#refused.includes(sha256) ? { reason: 'name-differs', message: 'found another name' } : null
  }
}

const update = (version: string, activeFrom: number) => ({ name: 'wear', version, sha256: version, activeFrom })
const seen = (version: string, activeFrom: number, updateOffset: number): SeenActivation => ({
  update: update(version, activeFrom),
  updateOffset,
  seenAtMs: 0,
})

/** Updates in the order published, and by partition which of them it has seen. */
function publications(updates: readonly [string, number][], seenBy: readonly (readonly number[])[]): Publications {
  return {
    published: updates.map(([version, from], offset) => ({ ...update(version, from), offset, publishedAtMs: 0 })),
    activations: seenBy.map((offsets) =>
      offsets.map((offset) => {
        const [version, from] = updates[offset] as [string, number]
        return seen(version, from, offset)
      }),
    ),
  }
}

function states(all: Publications, nowMs: number, refused: readonly string[] = []): string[] {
  return listModels(all, new FixedJudge(refused), nowMs).map(
    ({ version, state, partitions }) => `${version} ${state}${partitions === undefined ? '' : ` in ${partitions}`}`,
  )
}

test('listModels() says what is in force at a moment, by effective time and not by order of publication', () => {
  const both = [0, 1, 2]
  const all = publications(
    [
      ['a', 100],
      ['b', 900],
      ['c', 300],
    ],
    [both, both],
  )
  expect(states(all, 200)).toEqual(['c scheduled', 'b scheduled', 'a in-force'])
  expect(states(all, 500)).toEqual(['c in-force', 'b scheduled', 'a superseded'])
  expect(states(all, 1000)).toEqual(['c superseded', 'b in-force', 'a superseded'])
})

test('listModels() shows where partitions differ, and what no partition has yet', () => {
  const updates: [string, number][] = [
    ['a', 100],
    ['b', 200],
    ['c', 300],
  ]
  expect(states(publications(updates, [[0, 1], [0]]), 1000)).toEqual([
    'c scheduled',
    'b in-force in 0',
    'a in-force in 1',
  ])
})

test('listModels() passes over what the plan refuses', () => {
  const updates: [string, number][] = [
    ['a', 100],
    ['b', 200],
  ]
  expect(states(publications(updates, [[0, 1]]), 1000, ['b'])).toEqual(['b refused', 'a in-force'])
  expect(states(publications(updates, [[0, 1]]), 1000, ['a', 'b'])).toEqual(['b refused', 'a refused'])
})
