import fc from 'fast-check'
import { expect, test } from 'vitest'
import { idPattern } from './id-pattern.ts'

// Method: against a regular expression, over few letters, so that parts repeat and overlap.
test('idPattern() takes the ids that have its parts in their order, with anything between them', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 8 })
  fc.assert(
    fc.property(text, text, (pattern, written) => {
      const id = written.replaceAll('*', 'ä')
      const expression = pattern
        .split('*')
        .map((part) => part.replaceAll('.', '\\.'))
        .join('.*')
      expect(idPattern(pattern)(id)).toBe(new RegExp(`^${expression}$`, 'u').test(id))
    }),
    { numRuns: 5000 },
  )
})
