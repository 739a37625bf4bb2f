import { limits } from '@millwright/core'
import { FaultDisk, MemoryDisk } from '@millwright/testkit'
import { beforeEach, expect, test } from 'vitest'
import { outputDirectory } from './data-folder.ts'
import { OutputLog, scanOutput } from './output-log.ts'
import { storedOutputs } from './testing/test-engine.ts'

const directory = outputDirectory('/data', 'alert-signals', 0)
let memory: MemoryDisk
let disk: FaultDisk

beforeEach(() => {
  memory = new MemoryDisk()
  disk = new FaultDisk(memory)
  disk.makeDirectory(directory)
})

function openLog(segmentBytesMax = 1e8): OutputLog {
  return new OutputLog(disk, directory, 'alert-signals', scanOutput(disk, directory), segmentBytesMax)
}

const values = (): string[] => storedOutputs(disk, 'alert-signals', 0).map(({ value }) => value)

test('OutputLog numbers the outputs of one input record, and keeps key and value', () => {
  const log = openLog()
  log.add('press-07', 5, 'one', 1000)
  log.add('press-07', 5, 'twö', 1000)
  log.add(null, 9, 'three', 2000)
  log.write()
  expect(storedOutputs(disk, 'alert-signals', 0)).toEqual([
    { inputOffset: 5, index: 0, key: 'press-07', value: 'one' },
    { inputOffset: 5, index: 1, key: 'press-07', value: 'twö' },
    { inputOffset: 9, index: 0, key: null, value: 'three' },
  ])
})

test('OutputLog suppresses what it has, at every place where a run can have ended (O1)', () => {
  const outputs = [
    [1, 'a'],
    [1, 'b'],
    [4, 'c'],
    [6, 'd'],
    [6, 'e'],
    [6, 'f'],
    [7, 'g'],
  ] as const
  for (let written = 0; written <= outputs.length; written++) {
    memory = new MemoryDisk()
    disk = new FaultDisk(memory)
    disk.makeDirectory(directory)
    const first = openLog(200)
    for (const [inputOffset, value] of outputs.slice(0, written)) {
      first.add('d', inputOffset, value, 1000)
      first.write()
    }
    first.close()
    const second = openLog(200)
    for (const [inputOffset, value] of outputs) second.add('d', inputOffset, value, 2000)
    second.write()
    expect(values()).toEqual(outputs.map(([, value]) => value))
    expect(second.suppressedCount).toBe(written)
  }
})

test('OutputLog refuses outputs that go back in the input (O1)', () => {
  const log = openLog()
  log.add('d', 5, 'x', 1000)
  expect(() => log.add('d', 4, 'y', 1000)).toThrow('order of input offset')
})

test('OutputLog hands records to be told only when they are durable (O3)', async () => {
  const log = openLog()
  log.telling = true
  log.add('d', 1, 'a', 1000)
  log.write()
  expect(log.takeDurable()).toEqual([])
  const syncing = log.sync()
  log.add('d', 2, 'b', 1000)
  log.write()
  await syncing
  expect(log.takeDurable().map(({ value }) => value)).toEqual(['a'])
  await log.sync()
  expect(log.takeDurable()).toEqual([{ inputOffset: 2, index: 0, offset: 1, appendTimeMs: 1000, key: 'd', value: 'b' }])
  expect(log.takeDurable()).toEqual([])
})

test('OutputLog writes early when an input record yields more than a group', () => {
  const log = openLog()
  const value = 'v'.repeat(100_000)
  let count = 0
  for (; count * value.length < 2 * limits.groupBytesMax; count++) log.add('d', 1, value, 1000)
  // Much is on disk before anybody has asked for it.
  expect(memory.files().values().next().value?.length).toBeGreaterThan(limits.groupBytesMax)
  log.write()
  expect(values()).toHaveLength(count)
})

test('after a failure the outputs are cut back to what is durable, and calculated anew by another log', async () => {
  const log = openLog()
  log.add('d', 1, 'a', 1000)
  log.write()
  await log.sync()
  log.add('d', 2, 'b', 1000)
  log.write()
  disk.fail({ operation: 'sync', fault: 'fail' })
  await expect(log.sync()).rejects.toMatchObject({ code: 'DISK_FAILED' })
  expect(log.failed).toBe(true)
  log.recover()
  log.close()
  const next = openLog()
  for (const [inputOffset, value] of [
    [1, 'a'],
    [2, 'b'],
  ] as const)
    next.add('d', inputOffset, value, 1000)
  next.write()
  expect(values()).toEqual(['a', 'b'])
  expect(next.suppressedCount).toBe(1)
})
