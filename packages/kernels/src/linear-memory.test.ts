import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LinearMemory } from './linear-memory.ts'

test('regions in use never overlap one another or what is before them, and released room is used again (M1, M2)', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 200_000 }),
      fc.array(fc.record({ byteLength: fc.integer({ min: 0, max: 50_000 }), release: fc.option(fc.nat()) }), {
        maxLength: 60,
      }),
      (firstAddress, steps) => {
        const memory = new LinearMemory(new WebAssembly.Memory({ initial: 1 }), firstAddress)
        const inUse: { address: number; byteLength: number }[] = []
        for (const { byteLength, release } of steps) {
          if (release !== null && inUse.length > 0) {
            const [region] = inUse.splice(release % inUse.length, 1)
            if (region !== undefined) memory.release(region.address, region.byteLength)
          } else {
            inUse.push({ address: memory.allocate(byteLength), byteLength })
          }
          const sorted = inUse.filter((region) => region.byteLength > 0).sort((a, b) => a.address - b.address)
          let end = firstAddress
          for (const region of sorted) {
            expect(region.address).toBeGreaterThanOrEqual(end)
            end = region.address + region.byteLength
          }
          expect(end).toBeLessThanOrEqual(memory.memory.buffer.byteLength)
        }
        for (const region of inUse) memory.release(region.address, region.byteLength)
        // All of it is one free span again: it fits without growing.
        const before = memory.memory.buffer.byteLength
        const start = Math.ceil(firstAddress / 64) * 64
        expect(memory.allocate(before - start)).toBe(before === start ? 0 : start)
        expect(memory.memory.buffer.byteLength).toBe(before)
      },
    ),
    { seed: 1, numRuns: 300 },
  )
})

test('growing keeps what regions hold, and only adds what the last free span lacks', () => {
  const memory = new LinearMemory(new WebAssembly.Memory({ initial: 1 }), 0)
  const address = memory.allocate(1000)
  new Uint8Array(memory.memory.buffer).fill(7, address, address + 1000)
  memory.allocate(65_536)
  expect(memory.memory.buffer.byteLength).toBe(2 * 65_536)
  expect(new Uint8Array(memory.memory.buffer, address, 1000).every((byte) => byte === 7)).toBe(true)
})

test('allocate() throws where the memory has its maximum', () => {
  const memory = new LinearMemory(new WebAssembly.Memory({ initial: 1, maximum: 2 }), 0)
  expect(() => memory.allocate(200_000)).toThrow(RangeError)
  expect(memory.allocate(100_000)).toBe(0)
})
