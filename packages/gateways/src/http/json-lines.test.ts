import { limits } from '@millwright/core'
import { createReadingDecoder } from '@millwright/operators'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonLines } from './json-lines.ts'

const linesOf = (body: string): string[] => {
  const text = Buffer.from(jsonLines(Buffer.from(body))).toString()
  return text === '' ? [] : (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
}

describe('jsonLines()', () => {
  test('gives each element of an array a line, with its own digits, keys and spaces', () => {
    expect(linesOf('\ufeff [ {"a":1e999,"a" : 123456789012345678901} ,\n[1,"]"],"x,y", {"b":"\\"}]"}\t]\n')).toEqual([
      '{"a":1e999,"a" : 123456789012345678901}',
      '[1,"]"]',
      '"x,y"',
      '{"b":"\\"}]"}',
    ])
    expect(linesOf('[]')).toEqual([])
    expect(linesOf(' [ \n ] ')).toEqual([])
  })

  test('puts an element of many lines on one', () => {
    expect(linesOf('[{\n  "a": 1,\r\n  "b": [\n]\n}]')).toEqual(['{   "a": 1,\r   "b": [ ] }'])
  })

  test.each([
    '[{"a":1}',
    '[{"a":1},]',
    '[,{"a":1}]',
    '[{"a":1},,{"b":2}]',
    '[{"a":1}}',
    '[{"a":1}] x',
    '[{"a":1}]]',
    '[',
    '["a',
    '[{"a":1}\n,{"b":2}',
  ])('makes one line of %j, whose brackets do not say where the elements are', (body) => {
    expect(linesOf(body)).toEqual([body.trimEnd().replaceAll('\n', ' ')])
  })

  test('makes one line of one object, and leaves lines of objects as they are', () => {
    expect(linesOf('\n{\n"a": {"b": 1}\n}\n')).toEqual(['{ "a": {"b": 1} }'])
    for (const lines of ['{"a":1}\n{"b":2}\n', '{"a":1}\n\n{"b":2}', '{"a":1\n{"b":2}\n', 'x\n{"a":1}', '', '\n'])
      expect(Buffer.from(jsonLines(Buffer.from(lines))).toString()).toBe(lines)
  })

  test('a raw newline inside a string does not become valid by being replaced', () => {
    const decoder = createReadingDecoder({ channels: ['t'], timestamp: 'event', devicesMax: 10 })
    for (const body of [
      '[{"deviceId":"a\nb","timestamp":1700000000000,"t":1}]',
      '{"deviceId":"a\n","timestamp":1700000000000,"t":1}',
    ]) {
      const reasons: string[] = []
      decoder.decode(jsonLines(Buffer.from(body)), ({ rowCount, refusals }) => {
        expect(rowCount).toBe(1)
        reasons.push(...refusals.map(({ reason }) => reason))
      })
      expect(reasons).toEqual(['not-json'])
    }
  })

  test('cuts a body that is one line beyond the bound: it is refused anyway', () => {
    expect(jsonLines(Buffer.from(`[${'x'.repeat(3 * limits.lineBytesMax)}`))).toHaveLength(limits.lineBytesMax + 1)
  })

  test('the elements of any printed array read back as what was printed', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 6 }), fc.integer({ min: 0, max: 3 }), (values, indent) => {
        expect(linesOf(JSON.stringify(values, null, indent)).map((line) => JSON.parse(line))).toEqual(values)
      }),
      { numRuns: 500, seed: 81 },
    )
  })

  test('gives the elements of whatever a strict parser takes for an array', () => {
    const piece = fc.constantFrom('[', ']', '{', '}', '"', '\\', ',', ':', '1', 'a', '\n', ' ')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14, size: 'max' }), (pieces) => {
        const body = `[${pieces.join('')}`
        let parsed: unknown
        try {
          parsed = JSON.parse(body)
        } catch {
          return
        }
        expect(linesOf(body).map((line) => JSON.parse(line))).toEqual(parsed)
      }),
      { numRuns: 5000, seed: 82 },
    )
  })
})
