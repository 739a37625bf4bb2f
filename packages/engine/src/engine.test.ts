import { outputTopics } from '@millwright/core'
import { MemoryDisk } from '@millwright/testkit'
import { expect, test } from 'vitest'
import { freshOutputs, openTestEngine, part, storedOutputs } from './testing/test-engine.ts'

test('Engine.append() makes records durable, and their outputs equal those of the operator alone', async () => {
  const disk = new MemoryDisk()
  const engine = await openTestEngine({ disk })
  for (let n = 0; n < 20; n++) await engine.append('sensor-data', [part(0, `a ${n}`, 'bad'), part(1, `b ${n}`)])
  await engine.drained()
  for (const partition of [0, 1])
    for (const topic of outputTopics)
      expect(storedOutputs(disk, topic, partition)).toEqual(freshOutputs(disk, partition).get(topic))
  expect(storedOutputs(disk, 'alert-signals', 0)).toHaveLength(4)
  await engine.close()
})
