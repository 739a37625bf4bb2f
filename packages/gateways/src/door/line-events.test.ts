import { type IngestPort, limits, type PartitionLines, partitionOf } from '@millwright/core'
import { createReadingDecoder } from '@millwright/operators'
import { expect, test } from 'vitest'
import { createDoor } from '../door.ts'
import { LineEvents } from './line-events.ts'

const partitionCount = 4
const nowMs = 1_767_571_200_000
const lines = [
  { name: 'line-1', devices: Array.from({ length: 40 }, (_, i) => `press-${i}`) },
  { name: 'line-2', devices: ['Säge "2"'] },
]

function open(append: IngestPort['append']): LineEvents {
  const decoder = createReadingDecoder({ channels: ['temperature'], timestamp: 'event', devicesMax: 10 })
  return new LineEvents({
    plan: { lines, time: { maxClockAheadMs: 60_000 } as never },
    usedTypes: ['line-stop', 'line-start'],
    door: createDoor({ decoder, devicesMax: 10, partitionCount }),
    ingest: { append, ready: async () => undefined },
    nowMs: () => nowMs,
  })
}

interface Written {
  readonly partition: number
  readonly record: { readonly deviceId: string; readonly timestamp: number; readonly type: string }
}

/** Each call of `append`, as the records that it has. */
function memory(): { events: LineEvents; appends: Written[][] } {
  const appends: Written[][] = []
  const recordsOf = ({ partition, lines: bytes }: PartitionLines): Written[] =>
    Buffer.from(bytes)
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => ({ partition, record: JSON.parse(line) as Written['record'] }))
  const events = open(async (topic, parts) => {
    expect(topic).toBe('device-events')
    appends.push(parts.flatMap(recordsOf))
  })
  return { events, appends }
}

test('an event of a line is one append with one record of each machine, in its partition (L1)', async () => {
  const { events, appends } = memory()
  const written = await events.write(
    { line: 'line-1' },
    { type: 'line-stop', timestamp: nowMs - 5, detail: { by: 'Jo' } },
  )
  expect(written).toEqual({ type: 'line-stop', timestamp: nowMs - 5, devices: 40, used: true })
  expect(appends).toHaveLength(1)
  const [records = []] = appends
  expect(records.map(({ record }) => record.deviceId).sort()).toEqual([...(lines[0]?.devices ?? [])].sort())
  for (const { partition, record } of records) {
    expect(partition).toBe(partitionOf(record.deviceId, partitionCount))
    expect(record).toEqual({ ...record, timestamp: nowMs - 5, type: 'line-stop', detail: { by: 'Jo' } })
  }
})

test('without a time it is now; given again with that time it is the same bytes (L2)', async () => {
  const { events, appends } = memory()
  const { timestamp } = await events.write({ line: 'line-2' }, { type: 'line-start', timestamp: null })
  expect(timestamp).toBe(nowMs)
  await events.write({ line: 'line-2' }, { type: 'line-start', timestamp })
  expect(appends[1]).toEqual(appends[0])
  expect(appends[0]?.map(({ record }) => record)).toEqual([
    { deviceId: 'Säge "2"', timestamp: nowMs, type: 'line-start' },
  ])
})

test('machines that are named have one record each; a type that nothing looks at says so', async () => {
  const { events, appends } = memory()
  const written = await events.write({ devices: ['a', 'b', 'a'] }, { type: 'line-stopp', timestamp: null })
  expect(written).toMatchObject({ devices: 2, used: false })
  expect(appends[0]?.map(({ record }) => record.deviceId).sort()).toEqual(['a', 'b'])
})

test.each([
  [{ line: 'line-3' }, {}, /no line "line-3": the project declares line-1, line-2/],
  [{ devices: [] }, {}, /devices: found 0/],
  [{ devices: Array.from({ length: limits.lineDevicesMax + 1 }, (_, i) => `m${i}`) }, {}, /wanted 1 to 1000/],
  [{ devices: ['a', 'b\n'] }, {}, /deviceId: .*control characters/],
  [{ line: 'line-1' }, { type: '' }, /type: found ""/],
  [{ line: 'line-1' }, { timestamp: nowMs + 60_001 }, /timestamp: .*60 s ahead/],
  [{ line: 'line-1' }, { timestamp: 1.5 }, /timestamp/],
  [{ line: 'line-1' }, { timestamp: -1 }, /timestamp/],
  [{ line: 'line-1' }, { timestamp: Number.NaN }, /timestamp/],
])('%o %o is refused, and nothing is written (L3)', async (target, changes, said) => {
  const { events, appends } = memory()
  await expect(events.write(target, { type: 'line-stop', timestamp: null, ...changes })).rejects.toThrow(said)
  expect(appends).toEqual([])
})

test('what the append throws is thrown', async () => {
  const events = open(() => Promise.reject(new Error('the disk is full')))
  await expect(events.write({ line: 'line-1' }, { type: 'line-stop', timestamp: null })).rejects.toThrow('disk is full')
})
