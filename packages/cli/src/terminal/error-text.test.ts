import { expect, test } from 'vitest'
import { errorText } from './error-text.ts'

test('errorText() tells the whole chain of causes, each once, without stacks', () => {
  const root = new Error('no such formula')
  const wrapped = new Error('Cannot calculate "x": no such formula', { cause: root })
  const stopped = new Error('The plant stopped', { cause: wrapped })
  expect(errorText(stopped)).toBe('The plant stopped\n  because: Cannot calculate "x": no such formula')
  expect(errorText(new Error('outer', { cause: root }))).toBe('outer\n  because: no such formula')
  expect(errorText(new Error('alone', { cause: 'a word' }))).toBe('alone')
  expect(errorText('text')).toBe('text')
})

test('errorText() ends for a chain that does not', () => {
  const error = new Error('a')
  error.cause = new Error('b', { cause: error })
  expect(errorText(error).split('\n')).toHaveLength(2)
})
