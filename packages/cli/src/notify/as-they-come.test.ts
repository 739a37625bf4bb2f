import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { asTheyCome } from './as-they-come.ts'

const nothing = (): void => undefined

async function* given<T>(values: readonly T[]): AsyncGenerator<T, void> {
  yield* values
}

/** Gives nothing, and ends when it is told to. */
async function* silent(end: AbortSignal, closed: () => void): AsyncGenerator<never, void> {
  try {
    await new Promise<void>((resolve) => end.addEventListener('abort', () => resolve()))
  } finally {
    closed()
  }
}

test('asTheyCome() gives everything once, each source in its order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.nat(), { maxLength: 8 }), { maxLength: 6 }), async (lists) => {
      const sources = lists.map((list, source) => given(list.map((value) => ({ source, value }))))
      const found: number[][] = lists.map(() => [])
      for await (const { source, value } of asTheyCome(sources, nothing)) found[source]?.push(value)
      expect(found).toEqual(lists)
    }),
  )
})

test('asTheyCome() leaves nothing behind with a source that is silent, however much others give', async () => {
  const end = new AbortController()
  const closed = vi.fn()
  const reactions = new Map<unknown, number>()
  const { then } = Promise.prototype
  // A spy of vitest would wait for what it sees returned by the very method.
  // biome-ignore lint/suspicious/noThenProperty: it counts, and is put back.
  Promise.prototype.then = function (this: Promise<unknown>, ...reaction) {
    reactions.set(this, (reactions.get(this) ?? 0) + 1)
    return Reflect.apply(then, this, reaction)
  } as typeof then
  const sources = [given(Array.from({ length: 500 }, (_, i) => i)), silent(end.signal, closed)]
  let taken = 0
  try {
    for await (const _ of asTheyCome<number>(sources, () => end.abort())) if (++taken === 500) break
  } finally {
    // biome-ignore lint/suspicious/noThenProperty: as it was.
    Promise.prototype.then = then
  }
  expect(taken).toBe(500)
  expect(Math.max(...reactions.values())).toBeLessThan(5)
  expect(closed).toHaveBeenCalledTimes(1)
})

test('asTheyCome() fails as a source does, although another one is silent, and closes both', async () => {
  const end = new AbortController()
  const closed = vi.fn()
  async function* failing(): AsyncGenerator<number, void> {
    yield 1
    throw new Error('no brokers')
  }
  const taken: number[] = []
  const read = async (): Promise<void> => {
    for await (const each of asTheyCome<number>([silent(end.signal, closed), failing()], () => end.abort()))
      taken.push(each)
  }
  await expect(read()).rejects.toThrow('no brokers')
  expect([taken, closed.mock.calls.length]).toEqual([[1], 1])
})
