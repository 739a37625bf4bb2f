import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { outputTopics } from '@millwright/core'
import { expect, onTestFinished, test } from 'vitest'
import { NodeDisk } from './node-disk.ts'
import { hashesBelow, temporaryFolder } from './testing/temporary-folder.ts'
import { freshOutputs, ManualClock, openTestEngine, part, storedLines, storedOutputs } from './testing/test-engine.ts'
import { verifyStore } from './verify-store.ts'

/** Stores that each release has written, by `testing/make-fixture.ts`. They must open for good. */
const fixtures = join(import.meta.dirname, '../../../fixtures/engine')
const releases = readdirSync(fixtures).filter((name) => /^\d+\.\d+\.\d+$/.test(name))
const stores = releases.flatMap((release) => ['closed', 'killed'].map((name) => [release, name] as const))
const disk = new NodeDisk()

test('there is a fixture of a release', () => {
  expect(releases).toContain('0.1.0')
})

test.each(releases)('nobody has edited the fixture of %s', (release) => {
  const written: unknown = JSON.parse(readFileSync(join(fixtures, `${release}.json`), 'utf8'))
  expect(hashesBelow(join(fixtures, release))).toEqual(written)
})

test.each(
  stores,
)('the store of %s that was %s opens with its state, goes on, and its outputs equal a fresh run', async (release, name) => {
  const directory = join(temporaryFolder(onTestFinished), 'data')
  cpSync(join(fixtures, release, name), directory, { recursive: true })
  expect(verifyStore(directory).problems).toEqual([])
  const clock = new ManualClock()
  clock.advance(200_000)
  const engine = await openTestEngine({ disk, directory, clock, silentAfterMs: 30_000 })
  for (const { snapshot, snapshotDamage, previousIdentity, processedFrom } of engine.recovery.partitions) {
    expect([snapshotDamage, previousIdentity]).toEqual([null, null])
    expect(snapshot).toBeGreaterThan(0)
    expect(processedFrom).toBeGreaterThan(20)
  }
  expect(engine.sourcePosition('file')).toBeGreaterThanOrEqual(150)
  expect(engine.listModels().map(({ version }) => version)).toEqual(['1', '2'])
  await engine.append('sensor-data', [part(0, 'a 100', 'a 101', 'a 102', 'a 103', 'a 104')])
  await engine.drained()
  await engine.close()
  expect(storedLines(disk, 0, directory).length).toBeGreaterThan(30)
  for (const partition of [0, 1])
    for (const topic of outputTopics)
      expect(storedOutputs(disk, topic, partition, directory)).toEqual(
        freshOutputs(disk, partition, { directory, silentAfterMs: 30_000 }).get(topic),
      )
})
