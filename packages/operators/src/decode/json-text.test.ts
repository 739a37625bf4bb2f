import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonErrorIndex, nestsDeeper } from './json-text.ts'

test.each([
  ['', 0],
  ['  ', 2],
  ['{"a":1', 6],
  ['{"a":', 5],
  ['{"a" 1}', 5],
  ['{"a":1,}', 7],
  ['{,}', 1],
  ['[1 2]', 3],
  ['[1,]', 3],
  ['{"a":"b', 7],
  ['{"a":"\\x"}', 6],
  ['{"a":"\t"}', 6],
  ['{"a":NaN}', 5],
  ['{"a":01}', 6],
  ['{"a":1.}', 6],
  ['{"a":.5}', 5],
  ['{"a":+1}', 5],
  ['{"a":-}', 5],
  ['{"a":1}}', 7],
  ['{"a":1} x', 8],
  ["{'a':1}", 1],
])('jsonErrorIndex() finds where %j stops being JSON', (text, index) => {
  expect(jsonErrorIndex(text)).toBe(index)
  expect(() => JSON.parse(text)).toThrow(SyntaxError)
})

test('jsonErrorIndex() finds an error exactly where JSON.parse throws, on JSON with up to three characters changed', () => {
  const change = fc.record({
    at: fc.nat(),
    remove: fc.nat({ max: 2 }),
    insert: fc.constantFrom(
      '',
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '0',
      '1',
      '.',
      'e',
      '-',
      '+',
      ' ',
      '\n',
      '\t',
      '\u0000',
      'u',
      'n',
      '\u00a0',
    ),
  })
  let validCount = 0
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), fc.array(change, { maxLength: 3 }), (json, changes) => {
      let text = json
      for (const { at, remove, insert } of changes) {
        const index = at % (text.length + 1)
        text = text.slice(0, index) + insert + text.slice(index + remove)
      }
      let valid = true
      try {
        JSON.parse(text)
      } catch {
        valid = false
      }
      validCount += valid ? 1 : 0
      expect(jsonErrorIndex(text) === null, text).toBe(valid)
    }),
    { seed: 1, numRuns: 20_000 },
  )
  expect(validCount).toBeGreaterThan(3000)
})

test.each([
  ['[]', 0, true],
  ['[]', 1, false],
  ['{"a":[{}]}', 2, true],
  ['{"a":[{}]}', 3, false],
  ['[],[],[]', 1, false],
  ['"[[[["', 0, false],
  ['"\\"[[[["', 0, false],
  ['"a"[', 0, true],
  ['[[', 2, false],
  [']][', 0, false],
])('nestsDeeper(%j, %i) is %s', (text, depthMax, wanted) => {
  expect(nestsDeeper(text, depthMax)).toBe(wanted)
})
