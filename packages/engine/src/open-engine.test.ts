import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MemoryDisk } from '@millwright/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { readEngineInfo, seemsRunning } from './data-folder.ts'
import { NodeDisk } from './node-disk.ts'
import { hashesBelow, temporaryFolder } from './testing/temporary-folder.ts'
import { openTestEngine, part, storedLines } from './testing/test-engine.ts'

const disk = new NodeDisk()

/** A process that has a folder open. */
async function holder(directory: string): Promise<ChildProcess & { readonly exited: Promise<unknown> }> {
  const script = join(import.meta.dirname, 'testing/lock-holder.ts')
  const child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  await Promise.race([
    new Promise((resolve) => child.stdout?.once('data', resolve)),
    exited.then((exitCode) => Promise.reject(new Error(`the holder ended with ${exitCode}`))),
  ])
  return Object.assign(child, { exited })
}

test('a second process is refused and told which one writes; kill -9 frees the folder (D2)', async () => {
  const directory = temporaryFolder(onTestFinished)
  const child = await holder(directory)
  await expect(openTestEngine({ disk, directory })).rejects.toMatchObject({
    code: 'STORE_LOCKED',
    retry: 'later',
    details: { directory, pid: child.pid },
    message: expect.stringContaining(`process ${child.pid}`),
  })
  const info = readEngineInfo(disk, directory)
  expect(info !== null && seemsRunning(info)).toBe(true)
  child.kill('SIGKILL')
  await child.exited
  const engine = await openTestEngine({ disk, directory })
  expect(storedLines(disk, 0, directory)).toEqual([{ kind: 'readings', line: 'a 1' }])
  await engine.close()
})

test('a second engine of the same process is refused too, and the first goes on (D2)', async () => {
  const directory = temporaryFolder(onTestFinished)
  const engine = await openTestEngine({ disk, directory })
  await expect(openTestEngine({ disk, directory })).rejects.toMatchObject({
    code: 'STORE_LOCKED',
    details: { pid: process.pid },
  })
  await engine.append('sensor-data', [part(0, 'a 1')])
  await engine.close()
  await (await openTestEngine({ disk, directory })).close()
})

test('setHttpPort() lets others find the plant; a clean close takes the note away', async () => {
  const directory = temporaryFolder(onTestFinished)
  const engine = await openTestEngine({ disk, directory })
  engine.setHttpPort(8080)
  expect(readEngineInfo(disk, directory)).toMatchObject({ pid: process.pid, httpPort: 8080 })
  await engine.close()
  expect(readEngineInfo(disk, directory)).toBeNull()
})

test('a folder of a newer version is refused and not touched (D1)', async () => {
  const directory = temporaryFolder(onTestFinished)
  await (await openTestEngine({ disk, directory })).close()
  writeFileSync(join(directory, 'format'), '{"format":"millwright-store","version":2,"partitionCount":2,"more":1}\n')
  const before = hashesBelow(directory)
  await expect(openTestEngine({ disk, directory })).rejects.toMatchObject({
    code: 'STORE_VERSION',
    retry: 'never',
    message: expect.stringContaining('<= 1: found 2'),
  })
  expect(hashesBelow(directory)).toEqual(before)
})

test.each([
  ['holds something else', (directory: string) => writeFileSync(join(directory, 'holiday.jpg'), 'x')],
  ['has a format file that says nothing', (directory: string) => writeFileSync(join(directory, 'format'), 'hello')],
])('a folder that %s is refused and not touched (D1)', async (_name, prepare) => {
  const directory = temporaryFolder(onTestFinished)
  prepare(directory)
  const before = hashesBelow(directory)
  await expect(openTestEngine({ disk, directory })).rejects.toMatchObject({ code: 'STORE_VERSION' })
  expect(hashesBelow(directory)).toEqual(before)
})

test('another number of partitions is refused, with both numbers, and nothing is touched', async () => {
  const directory = temporaryFolder(onTestFinished)
  await (await openTestEngine({ disk, directory, partitionCount: 2 })).close()
  const before = hashesBelow(directory)
  await expect(openTestEngine({ disk, directory, partitionCount: 3 })).rejects.toMatchObject({
    code: 'PARTITION_COUNT',
    details: { found: 2, wanted: 3 },
  })
  expect(hashesBelow(directory)).toEqual(before)
})

test('a folder that is only half made by a crash is made whole', async () => {
  const directory = temporaryFolder(onTestFinished)
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'format.tmp'), '{"for')
  writeFileSync(join(directory, 'lock'), '')
  const engine = await openTestEngine({ disk, directory })
  await engine.append('sensor-data', [part(1, 'a 1')])
  await engine.close()
})

test.each([
  ['input', '/data/input/1/0000000000000000.mwlog', 'LOG_CORRUPT'],
  ['outputs', '/data/output/device-features/0/0000000000000000.mwlog', 'LOG_CORRUPT'],
  ['model updates', '/data/model-updates/0000000000000000.mwlog', 'LOG_CORRUPT'],
])('damage in the middle of the %s fails the opening and changes nothing', async (_name, path, code) => {
  const memory = new MemoryDisk()
  const engine = await openTestEngine({ disk: memory })
  for (let n = 0; n < 10; n++) {
    await engine.append('sensor-data', [part(0, `a ${n}`), part(1, `b ${n}`)])
    await engine.drained()
  }
  await engine.close()
  const bytes = memory.files().get(path) as Uint8Array
  bytes[40] = (bytes[40] as number) ^ 1
  // The damage is seen by what stands behind it; the log of model updates here has only a head.
  if (path.includes('model-updates')) memory.place(path.replace('00.mwlog', '09.mwlog'), bytes.slice(0, 10))
  memory.place(path, bytes)
  const before = memory.files()
  await expect(openTestEngine({ disk: memory })).rejects.toMatchObject({ code, details: { path } })
  expect(memory.files()).toEqual(before)
})

test('input that a snapshot or an output knows is never taken for a torn tail', async () => {
  const memory = new MemoryDisk()
  const engine = await openTestEngine({ disk: memory })
  await engine.append('sensor-data', [part(0, 'a 1', 'bad')])
  await engine.drained()
  memory.killProcess()
  const path = '/data/input/0/0000000000000000.mwlog'
  const bytes = memory.files().get(path) as Uint8Array
  memory.place(path, bytes.slice(0, -3))
  const before = memory.files()
  await expect(openTestEngine({ disk: memory })).rejects.toMatchObject({ code: 'LOG_CORRUPT' })
  expect(memory.files()).toEqual(before)
})

test('a torn tail is taken off and reported', async () => {
  const memory = new MemoryDisk()
  const engine = await openTestEngine({ disk: memory })
  await engine.append('sensor-data', [part(0, 'a 1')])
  await engine.append('sensor-data', [part(0, 'a 2')])
  memory.killProcess()
  const path = '/data/input/0/0000000000000000.mwlog'
  const bytes = memory.files().get(path) as Uint8Array
  memory.place(path, bytes.slice(0, -3))
  const next = await openTestEngine({ disk: memory })
  expect(next.recovery.partitions[0]).toMatchObject({ endOffset: 1, tornInputBytes: 33 })
  await next.append('sensor-data', [part(0, 'a 3')])
  expect(storedLines(memory, 0).map(({ line }) => line)).toEqual(['a 1', 'a 3'])
  await next.close()
})

test('a damaged snapshot is said so in the report, and the one before is used', async () => {
  const memory = new MemoryDisk()
  const engine = await openTestEngine({ disk: memory })
  for (let n = 0; n < 2; n++) {
    await engine.append('sensor-data', [part(0, `a ${n}`)])
    await engine.drained()
    await engine.snapshot()
  }
  await engine.close()
  const path = [...memory.files().keys()]
    .filter((name) => name.includes('state/0/snapshot'))
    .sort()
    .at(-1) as string
  memory.place(path, new Uint8Array(5))
  const next = await openTestEngine({ disk: memory })
  expect(next.recovery.partitions[0]).toMatchObject({ snapshotDamage: expect.stringContaining(path), processedFrom: 1 })
  await next.drained()
  await next.close()
})

test('a folder that cannot be made says why', async () => {
  const folder = temporaryFolder(onTestFinished)
  writeFileSync(join(folder, 'file'), '')
  await expect(openTestEngine({ disk, directory: join(folder, 'file', 'data') })).rejects.toMatchObject({
    code: 'DISK_FAILED',
    details: { systemCode: 'ENOTDIR' },
  })
  expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('')
})
