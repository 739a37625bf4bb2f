/** Bundles as they run in Flink: in a scope that has V8 and nothing of Node. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runInContext, Script } from 'node:vm'
import { ConfigurationError } from '@millwright/core'
import { definePlant, mean, tumbling } from '@millwright/plant'
import { openModelPackage } from '@millwright/scoring'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GuestAtHand, GuestFunctions } from '../bridge.ts'
import { GuestFailedError, type HostRecord, nodeHost, TestHost } from '../guest/host-testing.ts'
import { packageParts } from '../kafka/package-parts.ts'
import { bareScope, bundleGuest, type GuestBundle } from './bundle-guest.ts'
import { describeJob, type JobDescription } from './job-description.ts'

const root = join(import.meta.dirname, '../../../..')
const example = join(root, 'examples/predictive-maintenance')
const encoder = new TextEncoder()
let folder = ''

beforeAll(() => {
  // Inside the repository, so that the projects find the packages they import.
  folder = mkdtempSync(join(root, 'examples/bundle-test-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function project(config: string): string {
  const path = join(folder, 'millwright.config.ts')
  writeFileSync(path, config)
  return path
}

function topicsOf(name: string): Pick<JobDescription, 'inputs' | 'outputs'> {
  const shop = { name, channels: { x: { unit: '1' } }, window: tumbling('10 s'), features: { x: mean('x') } }
  return describeJob(definePlant(shop))
}

/** Opens a bundle's guest in a bare scope. */
function open({ script }: GuestBundle, name: string): TestHost {
  const scope = bareScope()
  Object.assign((scope as { millwrightHost: object }).millwrightHost, nodeHost)
  new Script(script, { filename: 'guest.js' }).runInContext(scope)
  const { inputs, outputs } = topicsOf(name)
  const configuration = { subtask: 0, inputs, outputs, cacheKeysMax: 100, dirtyKeysMax: 100 }
  return new TestHost(runInContext('millwright', scope) as GuestFunctions, configuration)
}

/** A guest in a bare scope whose calls V8 ends after a time, as the host does: each then goes on by `resume`. */
function endingGuest({ script }: GuestBundle, callMsMax: number): { guest: GuestFunctions; ended: GuestAtHand[] } {
  const scope = bareScope()
  Object.assign((scope as { millwrightHost: object }).millwrightHost, nodeHost)
  new Script(script, { filename: 'guest.js' }).runInContext(scope)
  const guest = runInContext('millwright', scope) as GuestFunctions
  const ended: GuestAtHand[] = []
  const call = (text: string): number => {
    try {
      return runInContext(`millwright.${text}`, scope, { timeout: callMsMax }) as number
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
      ended.push(JSON.parse(guest.atHand()) as GuestAtHand)
      return call(`resume('in time')`)
    }
  }
  const process = (recordCount: number, lineBytes: number): number => call(`process(${recordCount}, ${lineBytes})`)
  return { guest: { ...guest, process, act: (nowMs) => call(`act(${nowMs})`) }, ended }
}

function reading(second: number, fields: object): HostRecord {
  const appendTimeMs = 1_766_000_000_000 + 1000 * second
  const line = encoder.encode(JSON.stringify({ deviceId: 'press-7', timestamp: appendTimeMs, ...fields }))
  return { input: 0, partition: 1, offset: second, appendTimeMs, line }
}

describe('bundleGuest()', () => {
  test('makes a script that scores the example in a scope without Node', async () => {
    const host = open(await bundleGuest(join(example, 'millwright.config.ts')), 'example')
    const bytes = readFileSync(join(example, 'model.mwmodel'))
    const { sha256, manifest } = openModelPackage(bytes, {
      sha256: (part) => createHash('sha256').update(part).digest(),
      verifyEd25519: () => false,
    })
    const { name, version } = manifest
    const activation = { name, version, sha256, activeFrom: 0 }
    // The activation first: it waits for its package.
    host.control([
      { key: 'activation', value: encoder.encode(JSON.stringify(activation)), appendTimeMs: 1, offset: 0 },
      ...packageParts(manifest, bytes).map((part, i) => ({ ...part, appendTimeMs: 2 + i, offset: 1 + i })),
    ])
    host.bundle([0, 10, 400].map((second) => reading(second, { temperature: 60, vibration: 2, pressure: 4 })))
    const topics = host.outputs.map(({ topic }) => topic)
    expect(topics).toEqual(['device-features', 'alert-signals'])
    expect(JSON.parse(host.outputs[1]?.line ?? '')).toMatchObject({ deviceId: 'press-7', model: { name, version } })
  })

  test('refuses a package that is not what its parts say, and goes on', async () => {
    const host = open(await bundleGuest(join(example, 'millwright.config.ts')), 'example')
    const bytes = readFileSync(join(example, 'model.mwmodel'))
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const activation = { name: 'pump-leak', version: '9', sha256, activeFrom: 0 }
    host.control([
      ...packageParts(activation, bytes).map((part, i) => ({ ...part, appendTimeMs: i, offset: i })),
      { key: 'activation', value: encoder.encode(JSON.stringify(activation)), appendTimeMs: 9, offset: 9 },
    ])
    expect(host.outputs.map(({ topic, line }) => [topic, JSON.parse(line).reason])).toEqual([
      ['dead-letters', 'model-refused'],
    ])
    expect(host.counters()['model_updates_refused_total']).toBe(1)
  })

  test("runs the project's own functions, and names their place where one fails", async () => {
    const config = project(`import { custom, definePlant, tumbling } from '@millwright/plant'
export default definePlant({
  name: 'own',
  channels: { x: { unit: '1' } },
  window: tumbling('10 s'),
  features: {
    spread: custom(['x'], ({ values }) => {
      const x = values['x'] ?? []
      if (x.includes(13)) throw new Error('thirteen')
      return Math.max(...x) - Math.min(...x)
    }),
  },
})
`)
    const bundle = await bundleGuest(config)
    const host = open(bundle, 'own')
    host.bundle([reading(0, { x: 1 }), reading(1, { x: 5 }), reading(30, { x: 13 }), reading(60, { x: 1 })])
    const [features, letter] = host.outputs.map(({ line }) => JSON.parse(line))
    expect(features.features).toEqual({ spread: 4 })
    expect(letter).toMatchObject({ reason: 'function-failed', deviceId: 'press-7' })
  })

  test('goes on without the record at which a function of the project does not come back', async () => {
    const config = project(`import { custom, definePlant, mean, tumbling } from '@millwright/plant'
export default definePlant({
  name: 'loops',
  channels: { x: { unit: '1' } },
  window: tumbling('10 s'),
  features: {
    mean: mean('x'),
    loops: custom(['x'], ({ values }) => {
      while ((values['x'] ?? []).includes(13)) {}
      return 1
    }),
  },
})
`)
    const { guest, ended } = endingGuest(await bundleGuest(config), 400)
    const { inputs, outputs } = topicsOf('loops')
    const host = new TestHost(guest, { subtask: 0, inputs, outputs, cacheKeysMax: 100, dirtyKeysMax: 100 })
    const of = (deviceId: string, second: number, x: number): HostRecord => {
      const record = reading(second, { x })
      return { ...record, line: encoder.encode(JSON.stringify({ deviceId, timestamp: record.appendTimeMs, x })) }
    }
    host.bundle([
      of('a', 0, 13),
      of('b', 1, 2),
      of('a', 30, 1),
      { ...of('b', 31, 4), line: encoder.encode('{"deviceId":') },
      of('b', 32, 4),
      of('a', 33, 1),
    ])
    host.watermark(1_766_000_000_000 + 86_400_000)
    const letters = host.outputs.filter(({ topic }) => topic === 'dead-letters').map(({ line }) => JSON.parse(line))
    // Two records of the device met its window; so did its timer, which leaves it to the next record.
    expect(letters.map(({ reason, deviceId }) => [reason, deviceId])).toEqual([
      ['function-failed', 'a'],
      ['not-json', null],
      ['function-failed', 'a'],
    ])
    expect(letters[0].message).toMatch(/^Cannot calculate feature "loops" of device "a", .* did not come back in time$/)
    expect(host.outputs.filter(({ topic }) => topic === 'device-features').map(({ key }) => key)).toEqual(['b', 'b'])
    expect(ended.map(({ where, topic, offset }) => [where !== null, topic, offset])).toEqual([
      [true, 'sensor-data', 30],
      [true, 'sensor-data', 33],
      [true, null, null],
    ])
    expect(ended[0]?.functionText).toContain('includes(13)')
    const counters = host.counters()
    expect(counters['readings_in_total']).toBe(6)
    expect(counters['dead_letters_total{reason="function-failed"}']).toBe(2)
    expect(counters['timers_failed_total']).toBe(1)
  })

  test.each([
    ['Date.now()', 'Date.now', 8],
    ['Math.random()', 'Math.random', 8],
    ['Math.exp(1)', 'Math.exp', 8],
    ["new TextDecoder('utf-8').encoding.length", 'TextDecoder', 8],
    ["(/\\p{L}/u.test('a') ? 1 : 0)", '\\p{', 8],
    ['Number(process.env.X)', 'process.e', 8],
  ])('refuses %s with its place', async (expression, found, line) => {
    const config = project(`import { custom, definePlant, tumbling } from '@millwright/plant'
// Date.now() in a comment is nobody's business.
export default definePlant({
  name: 'refused',
  channels: { x: { unit: '1' } },
  window: tumbling('10 s'),
  features: {
    bad: custom(['x'], () => ${expression}),
  },
})
`)
    const error = await bundleGuest(config).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(ConfigurationError)
    const [problem] = (error as ConfigurationError).problems
    expect(problem?.field).toMatch(new RegExp(`^millwright\\.config\\.ts:${line}:\\d+$`))
    expect(problem?.found).toBe(found)
  })

  test('refuses a module of Node with its line', async () => {
    const config = project(`import { readFileSync } from 'node:fs'\nexport default readFileSync\n`)
    const error = await bundleGuest(config).catch((caught: unknown) => caught)
    expect((error as ConfigurationError).problems[0]).toMatchObject({
      field: 'millwright.config.ts:1',
      found: 'node:fs',
    })
  })

  test('says what a project throws when it is loaded, and where', async () => {
    const config = project(
      `const wanted: string[] = []\nif (wanted.length === 0) throw new Error('nothing here')\nexport default wanted\n`,
    )
    const error = await bundleGuest(config).catch((caught: unknown) => caught)
    expect((error as ConfigurationError).problems[0]).toMatchObject({ found: 'nothing here' })
    expect((error as ConfigurationError).problems[0]?.field).toContain('millwright.config.ts:2:')
  })
})

test('a stack of the bundle is put into places of the sources', async () => {
  const bundle = await bundleGuest(join(example, 'millwright.config.ts'))
  const scope = bareScope()
  new Script(bundle.script, { filename: 'guest.js' }).runInContext(scope)
  const functions = runInContext('millwright', scope) as GuestFunctions
  let stack = ''
  try {
    functions.counters()
  } catch (error) {
    stack = (error as Error).stack ?? ''
  }
  expect(functions.explain(stack, bundle.sourceMap)).toMatch(/packages\/cluster\/src\/guest\/guest\.ts:\d+:\d+/)
  expect(GuestFailedError.name).toBe('GuestFailedError')
})
