import { expect, test } from 'vitest'
import { slowestOf } from './job-status.ts'

const at = (partition: number, timeReachedMs: number | null) => {
  return { topic: 'sensor-data', partition, offset: 3, timeReachedMs }
}

test('slowestOf() is the partition that has come least far, before it one that has given nothing', () => {
  expect(slowestOf([])).toBeNull()
  expect(slowestOf([at(0, 20), at(1, 10), at(2, 30)])?.partition).toBe(1)
  expect(slowestOf([at(0, 20), at(1, 10), at(2, null)])?.partition).toBe(2)
})
