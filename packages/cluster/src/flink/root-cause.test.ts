import { expect, test } from 'vitest'
import { rootCause } from './root-cause.ts'

test('rootCause() takes the deepest cause and drops the package of its class', () => {
  const trace = [
    'org.apache.flink.util.FlinkException: Could not execute application.',
    '\tat org.apache.flink.client.program.PackagedProgram.call(PackagedProgram.java:110)',
    'Caused by: java.lang.RuntimeException: outer',
    '\tat job.Main.main(Main.java:5)',
    'Caused by: java.lang.IllegalStateException: the inner one: with a colon',
    '\t... 12 more',
  ].join('\n')
  expect(rootCause(trace)).toBe('IllegalStateException: the inner one: with a colon')
})

test('rootCause() takes the first line where nothing is said of causes, and cuts what is endless', () => {
  expect(rootCause('Not found: /no-such-path\n')).toBe('Not found: /no-such-path')
  expect(rootCause('')).toBe('')
  expect(rootCause('x'.repeat(10_000))).toHaveLength(401)
})
