import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PartitionOperator } from '@millwright/core'
import { openEngine, readStoreCut } from '@millwright/engine'
import { createDoor } from '@millwright/gateways'
import type { WatchedRecord } from '@millwright/monitoring'
import { createReadingDecoder } from '@millwright/operators'
import { definePlant, mean, tumbling } from '@millwright/plant'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { pressLines } from '../commands/command-testing.ts'
import { buildOperator } from '../plant/build-operator.ts'
import { type MergePositions, TopicMerge } from './topic-merge.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-merge-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('what is read beside a plant, in any steps and over restarts, is what is read when it has stopped', async () => {
  const plan = definePlant({
    name: 'merge',
    channels: { temperature: { unit: '°C' }, vibration: { unit: 'mm/s' } },
    window: tumbling('1 min'),
    features: { vibration: mean('vibration') },
    partitions: 2,
  })
  const directory = join(folder, 'data')
  const channels = plan.channels.map(({ name }) => name)
  const decoder = createReadingDecoder({ channels, timestamp: 'event', devicesMax: 100 })
  const door = createDoor({ decoder, devicesMax: 100, partitionCount: plan.partitionCount })
  let nowMs = 1_800_000_000_000
  const engine = await openEngine({
    directory,
    partitionCount: plan.partitionCount,
    identity: 'merge',
    operators: {
      mode: 'inline',
      createOperator: (_partition, sink): PartitionOperator => buildOperator(plan, sink),
      loadModel: () => null,
    },
    validateModel: () => ({ name: '', version: '', sha256: '' }),
    ticks: 'manual',
    clock: { nowMs: () => nowMs },
    snapshotEveryMs: 1e9,
  })
  const live: string[] = []
  let positions: MergePositions = {}
  const see = (record: WatchedRecord): void => void live.push(JSON.stringify(record))
  let merge = new TopicMerge(directory, plan.partitionCount, positions)
  try {
    for (let minute = 0; minute < 40; minute++) {
      const lines = [...pressLines(minute, minute + 1), ...(minute % 7 === 0 ? ['no reading'] : [])]
      await engine.append('sensor-data', door.readings(Buffer.from(lines.join('\n'))).parts)
      // Sometimes several records of several topics have one append time.
      if (minute % 3 !== 0) nowMs += 1
      if (minute % 5 === 0)
        await engine.appendFeedback({ accepted: [{ deviceId: 'press-1', line: `{"n":${minute}}` }], refused: [] })
      if (minute % 4 === 0) await engine.drained()
      if (minute % 6 === 0) await engine.snapshot()
      const cutMs = readStoreCut(directory)
      if (cutMs !== null) merge.take(cutMs, 1 + (minute % 9), see)
      if (minute % 11 !== 0) continue
      positions = merge.positions()
      merge.close()
      merge = new TopicMerge(directory, plan.partitionCount, positions)
    }
    await engine.drained()
  } finally {
    await engine.close()
  }
  expect(live.length).toBeGreaterThan(20)
  merge.take(Number.POSITIVE_INFINITY, 1e9, see)
  merge.close()
  const stopped: string[] = []
  const whole = new TopicMerge(directory, plan.partitionCount)
  whole.take(Number.POSITIVE_INFINITY, 1e9, (record) => void stopped.push(JSON.stringify(record)))
  whole.close()
  expect(live).toEqual(stopped)
  const times = stopped.map((line) => (JSON.parse(line) as WatchedRecord).appendTimeMs)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(stopped.filter((line) => line.includes('maintenance-feedback'))).toHaveLength(8)
})
