import { expect, test } from 'vitest'
import { createMemoryPool } from './memory-pool.ts'

test('createMemoryPool() gives memory again that was given back, and never to two at once', () => {
  const pool = createMemoryPool()
  const first = pool.take(5000)
  const second = pool.take(5000)
  expect(first.length).toBe(8192)
  expect(second).not.toBe(first)
  pool.give(first)
  expect(pool.take(8192)).toBe(first)
  expect(pool.take(5000)).not.toBe(first)
  expect(pool.take(0).length).toBe(4096)
  expect(pool.take(4097).length).toBe(8192)
})

test('createMemoryPool() keeps a bounded amount, and nothing large', () => {
  const pool = createMemoryPool()
  const large = pool.take(2 ** 21 + 1)
  expect(large.length).toBe(2 ** 21 + 1)
  pool.give(large)
  expect(pool.take(2 ** 21 + 1) === large).toBe(false)
  const sizes = [2 ** 20, 2 ** 19, 2 ** 18, 2 ** 17]
  const many = sizes.map((size) => Array.from({ length: 100 }, () => pool.take(size)))
  for (const memory of many.flat()) pool.give(memory)
  const keptBytes = sizes.map((size, i) => {
    const again = new Set(Array.from({ length: 100 }, () => pool.take(size)))
    return size * (many[i] ?? []).filter((memory) => again.has(memory)).length
  })
  // 6 MiB of a size, 16 MiB of all.
  expect(keptBytes).toEqual([6, 6, 4, 0].map((mebibytes) => mebibytes * 2 ** 20))
})
