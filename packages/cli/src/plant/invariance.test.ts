/**
 * Method: one random history (a simulated fleet with faults, redeliveries, late batches and malformed lines; device events;
 * models published ahead of time and too late) goes through the real operators in the real engine in several ways. Append
 * times are part of the history, by a clock that is set; nothing else may matter. MILLWRIGHT_SEED gives other histories.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Plan } from '@millwright/core'
import {
  countOf,
  definePlant,
  hopping,
  hoursSince,
  lag,
  mean,
  type PlantSettings,
  quantile,
  session,
  slope,
  std,
  tumbling,
} from '@millwright/plant'
import { createSimulation } from '@millwright/simulator'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { loadPackage } from '../models/load-package.ts'
import { splitModelPackage } from '../models/split-model-testing.ts'
import { runReplay } from '../replay/run-replay.ts'
import { buildOperator } from './build-operator.ts'
import {
  addOutput,
  bytesOf,
  chances,
  cut,
  differenceOf,
  type Moment,
  type Outputs,
  runHistory,
  type Way,
} from './invariance-testing.ts'

const seed = Number(process.env['MILLWRIGHT_SEED'] ?? 20261123)
// In memory where that can be had: thousands of syncs that prove nothing here would be most of the time.
const scratch = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'millwright-invariance-'))
afterAll(() => rmSync(scratch, { recursive: true }))
let folderCount = 0
const newFolder = (): string => mkdtempSync(join(scratch, `${folderCount++}-`))

const startMs = 1_767_571_200_000
const momentMs = 30_000
const minutes = 24

const settings = {
  name: 'invariance',
  channels: { temperature: { unit: '°C' }, vibration: { unit: 'mm/s' }, pressure: { unit: 'bar' } },
  cleaning: [{ channel: 'temperature', min: 0, max: 100 }],
  window: tumbling('1 min'),
  features: {
    tempStd: std('temperature'),
    vibration: mean('vibration'),
    before: lag(mean('pressure'), 2),
    trend: slope('temperature'),
    high: quantile('vibration', 0.9),
    sinceService: hoursSince('maintenance'),
    errors: countOf('error', { hours: 1 }),
  },
  model: 'invariance',
  alert: { threshold: 0.8 },
} satisfies PlantSettings<'temperature' | 'vibration' | 'pressure'>

const windows = [tumbling('1 min'), hopping({ size: '2 min', slide: '40 s' }), session({ gap: '45 s' })] as const
const latenesses = ['0 s', '2 min'] as const

/** A plan in which devices soon count as silent, or, as a replay has it, never. */
function planOf(
  window: (typeof windows)[number],
  lateness: (typeof latenesses)[number],
  silentAfter: '3 min' | '1 d',
): Plan {
  const allowedLateness = window.kind === 'session' ? '0 s' : lateness
  return definePlant({ ...settings, window, time: { silentAfter, allowedLateness, grace: '5 s' } })
}

/** Opposite answers by turns, each under its own version. */
function packageOf(plan: Plan, version: number): Uint8Array {
  const row = (vibration: number): number[] => plan.features.map(({ name }) => (name === 'vibration' ? vibration : 0.5))
  return splitModelPackage({
    name: 'invariance',
    version: String(version),
    features: plan.features.map(({ name, unit }) => ({ name, unit })),
    splitFeature: 1,
    splitAt: 2.5,
    below: version % 2 === 0 ? 3 : -3,
    atOrAbove: version % 2 === 0 ? -3 : 3,
    rows: [row(1), row(2), row(3), row(4)],
  })
}

function simulatedLines(simulationSeed: number) {
  return [
    ...createSimulation({
      seed: simulationSeed,
      deviceCount: 9,
      ratePerDeviceHz: 0.2,
      startMs,
      durationMs: minutes * 60_000,
      malformedShare: 0.02,
      faults: [
        { kind: 'duplicate', share: 0.4 },
        { kind: 'late-batch', share: 0.4 },
        { kind: 'gap', share: 0.4 },
        { kind: 'clock-skew', share: 0.2 },
        { kind: 'clock-drift', share: 0.2 },
        { kind: 'sensor-stuck', share: 0.2 },
      ],
    }),
  ]
}

function momentsOf(plan: Plan, historySeed: number, publishAgain: boolean): Moment[] {
  const chance = chances(historySeed)
  const lines = simulatedLines(historySeed)
  const ids = [...new Set(lines.map(({ deviceId }) => deviceId))]
  const count = (minutes * 60_000) / momentMs + 2
  return Array.from({ length: count }, (_, i): Moment => {
    const appendTimeMs = startMs + (i + 1) * momentMs
    const readings = lines
      .filter(({ arrivalMs }) => Math.min(count - 1, Math.floor((arrivalMs - startMs) / momentMs)) === i)
      .map(({ line }) => line)
    // A clock that is far ahead: the future guard, and for a device that was seen before, a jump.
    if (publishAgain && chance() < 0.2)
      readings.push(`{"deviceId":"${ids[0]}","timestamp":${appendTimeMs + 9e5},"vibration":1}`)
    const events = ids
      .filter(() => chance() < 0.05)
      .map((deviceId) => {
        const type = chance() < 0.5 ? 'error' : 'maintenance'
        return `{"deviceId":"${deviceId}","timestamp":${appendTimeMs - Math.floor(chance() * 60_000)},"type":"${type}"}`
      })
    // The first in time for every reading; then ahead, too late, and ahead again.
    const delayMs = i === 0 ? -1e9 : publishAgain ? { 12: 45_000, 25: -60_000, 40: 0 }[i] : undefined
    const publish = delayMs === undefined ? null : { package: packageOf(plan, i), activeFromMs: appendTimeMs + delayMs }
    return { appendTimeMs, events, readings, publish }
  })
}

const plain: Way = {
  mode: 'inline',
  workerCount: 1,
  partitionCount: 1,
  intake: 'calls',
  cutSeed: 1,
  snapshotChance: 0,
  restartChance: 0,
  heartbeatChance: 0,
}

const chosen = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
const wayIn = (mode: Way['mode'], restartChance: number): fc.Arbitrary<Way> =>
  fc.record({
    mode: fc.constant(mode),
    workerCount: fc.integer({ min: 1, max: 3 }),
    partitionCount: fc.integer({ min: 1, max: 5 }),
    intake: chosen('calls' as const, 'http' as const, 'file' as const, 'gzip' as const),
    cutSeed: fc.nat(),
    snapshotChance: chosen(0, 0.05, 0.3),
    restartChance: chosen(0, restartChance),
    heartbeatChance: chosen(0, 0.2, 1),
  })
const inlineWay = wayIn('inline', 0.1)
// Threads take a while to start.
const workersWay = wayIn('workers', 0.02)
const anyHistory = fc.record({
  historySeed: fc.nat(1_000_000),
  window: chosen(...windows),
  lateness: chosen(...latenesses),
})

test(`a device's outputs are the same however its readings are cut, spread and interrupted (seed ${seed})`, async () => {
  const seen = { silent: 0, late: 0, high: 0, deadLetters: 0, revisions: 0, versions: new Set<string>() }
  await fc.assert(
    fc.asyncProperty(anyHistory, fc.tuple(inlineWay, workersWay), async (history, ways) => {
      const plan = planOf(history.window, history.lateness, '3 min')
      const moments = momentsOf(plan, history.historySeed, true)
      const wanted = await runHistory(plan, moments, plain, newFolder())
      for (const way of ways) {
        const found = await runHistory(plan, moments, way, newFolder())
        expect(differenceOf(wanted.outputs, found.outputs), JSON.stringify(way)).toBeNull()
        expect(found.counters, JSON.stringify(way)).toEqual(wanted.counters)
      }
      tally(seen, wanted.outputs)
    }),
    { seed, numRuns: 5, endOnFailure: true },
  )
  // The histories hold what they are there for.
  expect(seen.silent).toBeGreaterThan(10)
  expect(seen.late).toBeGreaterThan(100)
  expect(seen.high).toBeGreaterThan(100)
  expect(seen.deadLetters).toBeGreaterThan(100)
  expect(seen.revisions).toBeGreaterThan(10)
  expect([...seen.versions].sort()).toEqual(['0', '12', '25', '40'])
})

test(`a replay gives the same whatever the files, and what the plant gives (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(anyHistory, inlineWay, fc.nat(), async (history, way, cutSeed) => {
      const plan = planOf(history.window, history.lateness, '1 d')
      const moments = momentsOf(plan, history.historySeed, false).map((moment) => ({ ...moment, events: [] }))
      const lines = moments.flatMap(({ readings }) => readings)
      const whole = await replayed(plan, [lines], false)
      const chance = chances(cutSeed)
      expect(differenceOf(whole, await replayed(plan, cut(lines, chance), false))).toBeNull()
      expect(differenceOf(whole, await replayed(plan, cut(lines, chance), true))).toBeNull()
      const plant = await runHistory(plan, moments, way, newFolder())
      // The end of a replay closes every window, as silence does in a plant, which tells of it.
      const told = new Map([...plant.outputs].filter(([group]) => !group.startsWith('device-status')))
      expect(differenceOf(whole, told), JSON.stringify(way)).toBeNull()
      expect([...whole].filter(([group]) => group.startsWith('alert-signals')).length).toBe(9)
    }),
    { seed, numRuns: 4, endOnFailure: true },
  )
})

async function replayed(plan: Plan, parts: readonly (readonly string[])[], zipped: boolean): Promise<Outputs> {
  const folder = newFolder()
  const inputs = parts.map((lines, i) => {
    const path = join(folder, `part-${i}.ndjson${zipped ? '.gz' : ''}`)
    const bytes = bytesOf(lines, '\n')
    // The last newline of a file may be missing.
    const cutOff = i % 2 === 0 ? bytes : bytes.subarray(0, -1)
    writeFileSync(path, zipped ? gzipSync(cutOff) : cutOff)
    return path
  })
  const outputs = new Map<string, string[]>()
  const operator = buildOperator(plan, {
    emit: (topic, deviceId, _offset, line) => addOutput(outputs, topic, deviceId, line),
  })
  const model = loadPackage(packageOf(plan, 0), plan)
  await runReplay({ plan, operator, model, inputs, events: [], onProgress: () => undefined })
  return outputs
}

function tally(
  seen: { silent: number; late: number; high: number; deadLetters: number; revisions: number; versions: Set<string> },
  outputs: Outputs,
): void {
  for (const [group, records] of outputs) {
    if (group.startsWith('late-readings')) seen.late += records.length
    if (group.startsWith('dead-letters')) seen.deadLetters += records.length
    if (group.startsWith('device-status'))
      seen.silent += records.filter((record) => record.includes('device-silent')).length
    if (!group.startsWith('alert-signals')) continue
    for (const record of records) {
      const { status, revision, model } = JSON.parse(record) as {
        status: string
        revision: number
        model: { version: string }
      }
      seen.versions.add(model.version)
      if (status !== 'Normal') seen.high += 1
      if (revision > 0) seen.revisions += 1
    }
  }
}
