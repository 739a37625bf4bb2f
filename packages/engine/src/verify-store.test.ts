import { MemoryDisk } from '@millwright/testkit'
import { expect, test } from 'vitest'
import { testPackage } from './testing/sum-operator.ts'
import { openTestEngine, part } from './testing/test-engine.ts'
import { verifyStore } from './verify-store.ts'

/** A store with something of everything. */
async function store(): Promise<MemoryDisk> {
  const disk = new MemoryDisk()
  const engine = await openTestEngine({ disk, segmentBytesMax: 500 })
  await engine.publish(testPackage('1'))
  for (let n = 0; n < 15; n++) {
    await engine.append('sensor-data', [part(0, `a ${n}`, 'bad'), part(1, `b ${n}`)])
    await engine.drained()
    if (n % 5 === 0) await engine.snapshot()
  }
  await engine.close()
  return disk
}

test('verifyStore() finds nothing wrong with a sound store, and changes nothing', async () => {
  const disk = await store()
  const before = disk.files()
  const report = verifyStore('/data', disk)
  expect(report).toMatchObject({ version: 1, partitionCount: 2, problems: [], tornBytes: 0, modelCount: 1 })
  expect(report.snapshotCount).toBe(4)
  expect(report.recordCount).toBeGreaterThan(60)
  expect(disk.files()).toEqual(before)
})

test('verifyStore() finds a change of one bit wherever it is, and names the file', async () => {
  const disk = await store()
  const checked = [...disk.files()].filter(([path]) => /\.mw(log|state|snapshot|model)$/.test(path))
  expect(checked.length).toBeGreaterThan(15)
  let seed = 1
  for (const [path, bytes] of checked)
    for (let trial = 0; trial < 4; trial++) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      const at = seed % bytes.length
      const damaged = disk.copy()
      const changed = bytes.slice()
      changed[at] = (changed[at] as number) ^ (1 << (seed % 8))
      damaged.place(path, changed)
      const { problems, tornBytes } = verifyStore('/data', damaged)
      const seen = problems.some((problem) => path === problem.path || problem.problem.includes(path))
      // The last group of a log cannot be told from one that a crash tore: it is reported as torn.
      expect(seen || tornBytes > 0, `${path}, byte ${at}`).toBe(true)
    }
})

test('verifyStore() sees any segment that is missing, the oldest ones apart, which retention may remove', async () => {
  const disk = await store()
  for (const folder of ['input/0', 'output/device-features/0', 'output/dead-letters/0']) {
    const [, ...younger] = [...disk.files().keys()].filter((path) => path.includes(`/${folder}/`)).sort()
    expect(younger.length).toBeGreaterThan(0)
    // The newest of the input holds no record here, only what the clean close wrote down.
    for (const path of folder === 'input/0' ? younger.slice(0, -1) : younger) {
      const damaged = disk.copy()
      damaged.unlink(path)
      expect(verifyStore('/data', damaged).problems, path).not.toEqual([])
    }
  }
})

test('verifyStore() of an empty folder says that it is empty', () => {
  expect(verifyStore('/data', new MemoryDisk())).toMatchObject({ version: null, recordCount: 0, problems: [] })
})
