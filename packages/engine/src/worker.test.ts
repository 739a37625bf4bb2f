import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { EngineOptions } from './engine-options.ts'
import { openEngine } from './open-engine.ts'
import { poison } from './testing/sum-operator.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'
import { part } from './testing/test-engine.ts'
import { openTopicReader } from './topic-reader.ts'

function options(directory: string, more: Partial<EngineOptions> = {}): EngineOptions {
  return {
    directory,
    partitionCount: 3,
    identity: 'sums',
    operators: {
      mode: 'workers',
      module: new URL('./testing/sum-worker.ts', import.meta.url),
      workerData: null,
      workerCount: 2,
    },
    validateModel: () => {
      throw new Error('no models here')
    },
    ...more,
  }
}

test('an operator that throws in a worker stops the plant with the place of the record; nothing is lost', async () => {
  const directory = temporaryFolder(onTestFinished)
  const stopped = Promise.withResolvers<Error>()
  const engine = await openEngine(options(directory, { onFailure: stopped.resolve }))
  await engine.append('sensor-data', [part(1, 'a 1', 'a 2', `a ${poison}`, 'a 3'), part(2, 'b 1')])
  expect(await stopped.promise).toMatchObject({
    name: 'PartitionFailedError',
    code: 'PARTITION_FAILED',
    details: { topic: 'sensor-data', partition: 1, offset: 2 },
  })
  await expect(engine.append('sensor-data', [part(0, 'c 1')])).rejects.toMatchObject({ code: 'ENGINE_CLOSED' })
  const reader = openTopicReader({ directory, topic: 'sensor-data' })
  expect([...reader]).toHaveLength(5)
  reader.close()
})

test('a worker module that cannot be loaded fails the opening, and the folder is free again', async () => {
  const directory = temporaryFolder(onTestFinished)
  const module = new URL('data:text/javascript,throw new Error("not this one")')
  const operators = { mode: 'workers', module, workerData: null, workerCount: 1 } as const
  await expect(openEngine(options(directory, { operators }))).rejects.toThrow('not this one')
  await (await openEngine(options(directory))).close()
})

test('a worker that ends unasked stops the plant', async () => {
  const directory = temporaryFolder(onTestFinished)
  const stopped = Promise.withResolvers<Error>()
  const code = `
    import { runPartitionWorker } from ${JSON.stringify(new URL('./worker.ts', import.meta.url).href)}
    runPartitionWorker({ createOperator: () => ({ readings: () => process.exit(7), flush: () => undefined }), loadModel: () => null })`
  const module = new URL(`data:text/javascript,${encodeURIComponent(code)}`)
  const operators = { mode: 'workers', module, workerData: null, workerCount: 1 } as const
  const engine = await openEngine(options(directory, { operators, onFailure: stopped.resolve }))
  await engine.append('sensor-data', [part(0, 'a 1')])
  expect((await stopped.promise).message).toContain('ended with code 7')
  // The folder is free for the next.
  await (await openEngine(options(directory))).close()
})

test('alerts reach a subscriber of the engine from a worker', async () => {
  const engine = await openEngine(options(temporaryFolder(onTestFinished)))
  const told = Promise.withResolvers<string>()
  engine.subscribe('alert-signals', ({ value }) => told.resolve(value))
  await engine.append('sensor-data', [part(2, ...Array.from({ length: 5 }, (_, n) => `a ${n}`))])
  expect(JSON.parse(await told.promise)).toEqual({ deviceId: 'a', count: 5, sum: 10, model: null })
  await engine.close()
})

test('a process that has closed its engine ends by itself', () => {
  const directory = temporaryFolder(onTestFinished)
  const code = `
    const { openEngine } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)})
    const module = new URL(${JSON.stringify(new URL('./testing/sum-worker.ts', import.meta.url).href)})
    const operators = { mode: 'workers', module, workerData: null, workerCount: 2 }
    const validateModel = () => { throw new Error('none') }
    const engine = await openEngine({ directory: process.argv[2], partitionCount: 2, identity: 'x', operators, validateModel })
    await engine.append('sensor-data', [{ partition: 0, lines: Buffer.from('a 1'), lineCount: 1 }])
    await engine.close()
    process.stdout.write('closed')`
  const script = join(directory, 'script.mjs')
  writeFileSync(script, code)
  const run = spawnSync(process.execPath, [script, join(directory, 'data')], { encoding: 'utf8', timeout: 30_000 })
  expect(run).toMatchObject({ stderr: '', stdout: 'closed', status: 0 })
})
