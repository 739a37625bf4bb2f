import { limits } from '@millwright/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CsvRow, createRowSplitter } from './csv-rows.ts'

/** Splits a text that is handed over in pieces of whole lines, `linesPerCall` at a time. */
function rowsOf(content: string | Uint8Array, delimiter = ',', linesPerCall = 1_000_000): CsvRow[] {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const splitter = createRowSplitter(delimiter)
  const rows: CsvRow[] = []
  let start = 0
  while (start < bytes.length) {
    let end = start
    for (let i = 0; i < linesPerCall && end < bytes.length; i++) end = bytes.indexOf(10, end) + 1
    const base = start
    rows.push(...splitter.push(bytes.subarray(start, end), (_line, endByte) => base + endByte))
    start = end
  }
  return [...rows, ...splitter.end()]
}

const cellsOf = (rows: readonly CsvRow[]): unknown[] =>
  rows.map((row) => (row.kind === 'row' ? row.cells : `unreadable: ${row.text}`))

describe('createRowSplitter()', () => {
  test('splits lines at the delimiter, drops blank ones, and says where each row ends', () => {
    expect(rowsOf('a,b\r\n\n  \nc,,\n')).toEqual([
      { kind: 'row', cells: ['a', 'b'], position: 5 },
      { kind: 'row', cells: ['c', '', ''], position: 13 },
    ])
    expect(cellsOf(rowsOf('a;b,c\n', ';'))).toEqual([['a', 'b,c']])
  })

  test('reads quoted cells: delimiters, doubled quotes, newlines and spaces around (R1)', () => {
    expect(cellsOf(rowsOf('"a,1","say ""hi""",c\n"two\r\nlines",x\nplain,y\n1, "2" ,3\n'))).toEqual([
      ['a,1', 'say "hi"', 'c'],
      ['two\r\nlines', 'x'],
      ['plain', 'y'],
      ['1', '2', '3'],
    ])
    expect(rowsOf('"two\nlines",x\n')[0]?.position).toBe(14)
  })

  test('a stray quote costs its line and nothing else (R3)', () => {
    const lines = Array.from({ length: 50 }, (_, i) => `row ${i},${i}`)
    for (const bad of ['pipe 5" wide,1', '"never closed,1', 'a "b" c,1', '"x"y,1', '"x" "y",1']) {
      const content = [...lines.slice(0, 20), bad, ...lines.slice(20)].join('\n')
      const wanted = [
        ...lines.slice(0, 20).map((line) => line.split(',')),
        `unreadable: ${bad}`,
        ...lines.slice(20).map((line) => line.split(',')),
      ]
      expect(cellsOf(rowsOf(`${content}\n`)), bad).toEqual(wanted)
    }
  })

  test('waits for a closing quote no longer than its bound, then goes on with the next line (R3)', () => {
    const filler = 'x'.repeat(1000)
    const count = Math.ceil((3 * limits.csvRecordBytesMax) / 1001)
    const rows = rowsOf(`"open,1\n${`${filler},2\n`.repeat(count)}`, ',', 1)
    expect(rows).toHaveLength(count + 1)
    expect(rows[0]).toMatchObject({ kind: 'unreadable', text: '"open,1' })
    expect(rows.slice(1).every((row) => row.kind === 'row' && row.cells[1] === '2')).toBe(true)
  })

  test('a row that is not UTF-8 is unreadable, and its bytes can be had back from its text (R3)', () => {
    const bytes = Buffer.concat([Buffer.from('a,1\nb'), Buffer.from([0xb0, 0xff]), Buffer.from(',2\n"c",é\n')])
    const rows = rowsOf(bytes)
    expect(rows[1]).toEqual({
      kind: 'unreadable',
      text: 'b\u00b0\u00ff,2',
      problem: 'the row is not UTF-8',
      position: 10,
    })
    expect(cellsOf(rows)[2]).toEqual(['c', 'é'])
  })

  test('gives back what was written, however it is split into calls (R1, R2)', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', 'é', '1', '"', ',', '\n', '\r\n', ' ', ';'), maxLength: 6 })
    const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 3 }), { minLength: 1, maxLength: 12, size: 'max' })
    const print = (value: string): string =>
      /[",\r\n]|^ | $/.test(value) || value === '' ? `"${value.replaceAll('"', '""')}"` : value
    fc.assert(
      fc.property(table, fc.integer({ min: 1, max: 5 }), (rows, linesPerCall) => {
        const content = `${rows.map((cells) => cells.map(print).join(',')).join('\n')}\n`
        expect(cellsOf(rowsOf(content, ',', linesPerCall))).toEqual(rows)
      }),
      { numRuns: 600, seed: 51 },
    )
  })

  test('any text at all gives the same rows however it is split, each place once and in order (R2, R3)', () => {
    const line = fc.string({ unit: fc.constantFrom('a', '"', ',', '1', '"', '\r'), maxLength: 8 })
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 20, size: 'max' }),
        fc.integer({ min: 1, max: 4 }),
        (lines, linesPerCall) => {
          const content = lines.map((text) => `${text}\n`).join('')
          const whole = rowsOf(content)
          expect(rowsOf(content, ',', linesPerCall)).toEqual(whole)
          const positions = whole.map((row) => row.position)
          expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b))
        },
      ),
      { numRuns: 1500, seed: 52 },
    )
  })
})
