import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RowNumbers, RowTable } from './row-table.ts'

const rowMax = 2000
const action = fc.record({
  kind: fc.constantFrom('set', 'write', 'clear', 'read'),
  row: fc.nat(rowMax),
  index: fc.nat(2),
  value: fc.nat(1000),
})

test('a table holds what was written into each of its rows, and nothing else (R1, R2)', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const table = new RowTable(Float64Array, 3)
      const rows = new Map<number, number[]>()
      const blocks = new Map<number, Float64Array>()
      for (const { kind, row, index, value } of actions) {
        const wanted = rows.get(row) ?? [0, 0, 0]
        if (kind === 'set') {
          table.set(row, value, index)
          wanted[index] = value
        } else if (kind === 'write') {
          table.write(row, [value, index, row])
          wanted.splice(0, 3, value, index, row)
        } else if (kind === 'clear') {
          table.clear(row)
          wanted.fill(0)
        } else expect(table.read(row)).toEqual(wanted)
        rows.set(row, wanted)
      }
      for (const [row, wanted] of rows) {
        expect(table.read(row)).toEqual(wanted)
        expect(wanted.map((_, index) => table.get(row, index))).toEqual(wanted)
        blocks.set(row, table.block(row))
      }
      table.set(rowMax + 1, 1)
      for (const [row, block] of blocks) expect(table.block(row)).toBe(block)
    }),
  )
})

test('a row that was given back is given out again, and no row twice', () => {
  const rows = new RowNumbers()
  expect([rows.take(), rows.take(), rows.take()]).toEqual([0, 1, 2])
  rows.giveBack(1)
  expect([rows.take(), rows.take()]).toEqual([1, 3])
})
