import { expect, test } from 'vitest'
import { runNameOf, runOutputs } from './bounded-run.ts'

test('a run has a name of its own, told apart by its prefix', () => {
  expect(runNameOf('press-shop', 'backfill-')).toBe('press-shop.backfill')
  expect(runNameOf('press-shop', '')).toBe('press-shop.run')
})

test('runOutputs() puts the prefix before each topic that is written, and refuses what Kafka would', () => {
  expect(runOutputs('a-')).toEqual([
    'a-device-features',
    'a-alert-signals',
    'a-late-readings',
    'a-dead-letters',
    'a-device-status',
  ])
  expect(() => runOutputs('a b')).toThrow(/--output-prefix/)
  expect(() => runOutputs('a'.repeat(101))).toThrow(/--output-prefix/)
})
