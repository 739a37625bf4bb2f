import { limits } from '@millwright/core'
import { planOf } from '@millwright/testkit'
import { expect, test } from 'vitest'
import { isRemembered, remember } from './redelivery.ts'
import { tablesOf } from './tables-testing.ts'

test('remember() keeps the last 16, also long after the ring is full (R1)', () => {
  const table = tablesOf(planOf()).table
  table.begin(0)
  expect(isRemembered(table, 0, { low: 0, high: 0 })).toBe(false)
  for (let i = 1; i <= 100; i++) {
    remember(table, 0, { low: i, high: -i })
    for (let j = 1; j <= i; j++)
      expect(isRemembered(table, 0, { low: j, high: -j }), `${j} of ${i}`).toBe(j > i - limits.redeliveryReadings)
  }
  expect(isRemembered(table, 0, { low: 100, high: 100 })).toBe(false)
})
