import { blockDevices, clock, dirtyNext } from '@millwright/kernels'
import { planOf } from '@millwright/testkit'
import { describe, expect, test } from 'vitest'
import { tablesOf } from './tables-testing.ts'

/** A table in which these devices exist. */
function tableOf(...devices: number[]) {
  const { table } = tablesOf(planOf())
  for (const device of devices) table.begin(device)
  return table
}

describe('DeviceTable.takeDirty()', () => {
  test('gives the devices that changed first, so many at a time, each once (T5)', () => {
    const table = tableOf(0, 1, 2, 3)
    for (const device of [2, 0, 2, 3, 1, 0]) table.markDirty(device)
    expect(table.takeDirty(2)).toEqual([2, 0])
    table.markDirty(2)
    expect(table.takeDirty(2)).toEqual([3, 1])
    expect(table.takeDirty(2)).toEqual([2])
    expect(table.takeDirty(2)).toEqual([])
    table.markDirty(1)
    expect(table.takeDirty()).toEqual([1])
  })

  test('passes over devices that ended, and lists one that begins again in their place once (T5)', () => {
    const table = tableOf(0, 1)
    table.markDirty(0)
    table.markDirty(1)
    table.end(0)
    expect(table.takeDirty(1)).toEqual([1])
    table.begin(0)
    expect(table.takeDirty()).toEqual([])
    table.markDirty(0)
    table.end(0)
    table.begin(0)
    table.markDirty(0)
    expect(table.takeDirty()).toEqual([0])
    expect(table.int(0, dirtyNext)).toBe(-1)
  })
})

test('DeviceTable has records for every index below indexEnd, of devices that exist or not (T1, T6)', () => {
  const table = tableOf(2 * blockDevices + 5)
  expect(table.indexEnd).toBe(2 * blockDevices + 6)
  expect(table.count).toBe(1)
  for (const device of [0, blockDevices - 1, blockDevices, 2 * blockDevices + 4]) {
    expect(table.exists(device)).toBe(false)
    table.begin(device)
    table.setFloat(device, clock, device)
  }
  for (const device of [0, blockDevices - 1, blockDevices, 2 * blockDevices + 4])
    expect(table.float(device, clock)).toBe(device)
})
