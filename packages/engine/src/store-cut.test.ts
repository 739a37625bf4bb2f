import { MemoryDisk } from '@millwright/testkit'
import { afterEach, expect, test } from 'vitest'
import { readStoreCut } from './store-cut.ts'
import { closingTestEngines, ManualClock, part } from './testing/test-engine.ts'
import { openTopicReader } from './topic-reader.ts'

const open = closingTestEngines(afterEach)

test('before the cut nothing is added any more, whatever is processed later', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock()
  const engine = await open({ disk, clock, snapshotEveryMs: 1e9 })
  expect(readStoreCut('/data', disk)).toBeNull()
  const before = (cutMs: number): string[] =>
    (['device-features', 'alert-signals', 'dead-letters'] as const).flatMap((topic) => {
      const reader = openTopicReader({ directory: '/data', topic, disk })
      const records = [...reader].filter(({ appendTimeMs }) => appendTimeMs < cutMs)
      reader.close()
      return records.map(({ partition, offset }) => `${topic} ${partition} ${offset}`)
    })
  const seen: { readonly cutMs: number; readonly records: readonly string[] }[] = []
  for (let n = 0; n < 20; n++) {
    await engine.append('sensor-data', [part(0, `a ${n}`, 'bad'), ...(n % 3 === 0 ? [part(1, `b ${n}`)] : [])])
    clock.advance(n % 4 === 0 ? 0 : 1000)
    await engine.drained()
    if (n % 5 !== 4) continue
    await engine.snapshot()
    const cutMs = readStoreCut('/data', disk)
    if (cutMs !== null) seen.push({ cutMs, records: before(cutMs) })
  }
  expect(seen.length).toBeGreaterThan(2)
  expect(seen.at(-1)?.records.length).toBeGreaterThan(10)
  for (const { cutMs, records } of seen) expect(before(cutMs)).toEqual(records)
})
