/**
 * Method: a plant's records with garbage among them, against the same without. Garbage is any text, any JSON, and records of another machine with one field
 * taken away or replaced by any JSON value: some of those are still records, of that machine.
 */
import type { AlertSignal, DeviceStatus } from '@millwright/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { referenceOf, simulatedFleet } from '../testing/simulated-fleet.ts'
import { PlantWatch, type PlantWatchState } from './plant-watch.ts'
import { isAlertSignal, isDeadLetter, isDeviceFeatures, isDeviceStatus, isLateReading } from './record-shape.ts'
import { type WatchedRecord, type WatchedTopic, watchedTopics } from './watched-record.ts'

const plant = [...simulatedFleet({ seed: 3, machines: 3, days: 1, correlation: 0.5 })]
const reference = referenceOf(plant)
const signal = { ...(plant[0] as AlertSignal), deviceId: 'other' }
const at = signal.windowEnd
const marked = {
  ...signal,
  status: 'High risk of failure',
  probability: 0.9,
  why: [{ feature: 'a', value: 1, contribution: 0.5 }],
  alert: { mark: 'raising', severity: 'major', since: at },
}
const { deviceId, windowStart, windowEnd, revision, features } = signal
const samples: Readonly<Record<Exclude<WatchedTopic, 'case-commands'>, readonly object[]>> = {
  'maintenance-feedback': [
    { id: 'f', revision, deviceId, verdict: 'unclear', from: windowStart, to: windowEnd, recordedAt: windowEnd },
  ],
  'alert-signals': [signal, marked],
  'device-features': [{ deviceId, windowStart, windowEnd, revision, readingCount: 300, features }],
  'late-readings': [{ deviceId, timestamp: at, deviceClock: at + 1, channels: {} }],
  'dead-letters': [{ reason: 'future', message: '', topic: 'sensor-data', deviceId, bytes: '', byteLength: 0 }],
  'device-status': [
    { deviceId, kind: 'device-silent', at },
    { deviceId, kind: 'alert-cleared', at, cause: 'timed', severity: 'major', since: at },
  ],
}
const commands = [{ id: 'c', caseId: `other@${at}`, deviceId, command: 'acknowledge', by: 'Ann', seen: null }]

const changed = (topic: WatchedTopic): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom(...(topic === 'case-commands' ? commands : samples[topic])),
      fc.nat(),
      fc.option(fc.jsonValue(), { nil: undefined }),
    )
    .map(([record, index, value]) => {
      const fields = Object.keys(record)
      return JSON.stringify({ ...record, [fields[index % fields.length] as string]: value })
    })
const garbage = fc.constantFrom(...watchedTopics).chain((topic) =>
  fc.record({
    topic: fc.constant(topic),
    text: fc.oneof(
      changed(topic),
      fc.string(),
      fc.json(),
      fc.nat(40_000).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
    ),
    /** Before which of the plant's records it stands. */
    before: fc.nat(plant.length),
  }),
)

const records: readonly WatchedRecord[] = plant.map((each) => ({
  topic: 'alert-signals',
  appendTimeMs: each.windowEnd + 1000,
  text: JSON.stringify(each),
}))

function stateAfter(isMarked: boolean, extra: readonly (Omit<WatchedRecord, 'appendTimeMs'> & { before: number })[]) {
  const watch = new PlantWatch({ channels: [], marked: isMarked, referenceOf: () => reference })
  const outputs: string[] = []
  const take = (record: WatchedRecord): void => {
    for (const { message } of watch.take(record)) if (isOfPlant(message.deviceId)) outputs.push(JSON.stringify(message))
  }
  for (const [index, record] of records.entries()) {
    take(record)
    for (const { topic, text, before } of extra)
      if (before === index) take({ topic, text, appendTimeMs: record.appendTimeMs })
  }
  return { watch, outputs, ofPlant: ofPlant(watch.snapshot()) }
}

function isOfPlant(id: string): boolean {
  return plant.some((each) => each.deviceId === id)
}

/** What is known of the plant's own machines. */
function ofPlant({ verdicts, drift, quality, cases }: PlantWatchState): unknown {
  return {
    verdicts: verdicts.devices.filter(([id]) => isOfPlant(id)),
    drift: drift.versions[0]?.state.devices.filter(([id]) => isOfPlant(id)),
    quality: quality.machines.filter(([id]) => isOfPlant(id)),
    cases: cases.devices.filter((each) => isOfPlant(each.deviceId)),
  }
}

describe('PlantWatch', () => {
  test.each([
    true,
    false,
  ])('garbage on any topic neither throws nor changes what is said of other machines (W6): %#', (isMarked) => {
    const plain = stateAfter(isMarked, [])
    fc.assert(
      fc.property(fc.array(garbage, { minLength: 1, maxLength: 12 }), (extra) => {
        const found = stateAfter(isMarked, extra)
        expect(found.ofPlant).toEqual(plain.ofPlant)
        expect(found.outputs).toEqual(plain.outputs)
      }),
      { numRuns: 40 },
    )
  })

  test('what is no record of its topic is counted, and changes nothing else (W6)', () => {
    const watch = new PlantWatch({ channels: [], marked: false, referenceOf: () => reference })
    for (const record of records) watch.take(record)
    const before = watch.snapshot()
    const { appendTimeMs } = records.at(-1) as WatchedRecord
    const { windowEnd: _end, ...endless } = signal
    const refused: readonly (readonly [WatchedTopic, string])[] = [
      ['alert-signals', '{'],
      ['alert-signals', 'null'],
      ['alert-signals', JSON.stringify(endless)],
      ['device-features', '[]'],
      ['late-readings', '7'],
      ['dead-letters', '{"reason":"future"}'],
      ['device-status', JSON.stringify({ deviceId, kind: 'device-moved', at })],
      ['maintenance-feedback', ''],
    ]
    for (const [topic, text] of refused) watch.take({ topic, text, appendTimeMs })
    const { refused: counted, records: taken, ...rest } = watch.snapshot()
    expect(counted).toEqual({
      'alert-signals': { 'not-json': 1, 'wrong-shape': 2 },
      'device-features': { 'wrong-shape': 1 },
      'late-readings': { 'wrong-shape': 1 },
      'dead-letters': { 'wrong-shape': 1 },
      'device-status': { 'wrong-shape': 1 },
      'maintenance-feedback': { 'not-json': 1 },
    })
    expect(watch.report().refused).toEqual(counted)
    const { refused: _refused, records: _records, ...others } = before
    expect(rest).toEqual(others)
    expect(taken['alert-signals']).toBe(records.length + 3)
    const state = JSON.parse(JSON.stringify(watch.snapshot())) as PlantWatchState
    const restored = new PlantWatch({ channels: [], marked: false, referenceOf: () => reference }, state)
    expect(restored.report().refused).toEqual(counted)
  })
})

describe('the shape of a record', () => {
  const shapes = {
    'alert-signals': isAlertSignal,
    'device-features': isDeviceFeatures,
    'late-readings': isLateReading,
    'dead-letters': isDeadLetter,
    'device-status': isDeviceStatus,
  }
  /** Those that nothing here is made of, and those that need not be there. */
  const passedOver = ['message', 'bytes', 'byteLength', 'channels', 'why', 'alert', 'severity']

  test.each(
    Object.entries(shapes),
  )('of %s holds each field that is read to its type, and passes over others', (topic, hasShape) => {
    for (const sample of samples[topic as keyof typeof shapes]) {
      expect(hasShape(sample)).toBe(true)
      expect(hasShape({ ...sample, since2: [], note: 'of a newer release' })).toBe(true)
      for (const field of Object.keys(sample)) {
        if (!passedOver.includes(field))
          expect([field, hasShape({ ...sample, [field]: undefined })]).toEqual([field, false])
        if (topic === 'alert-signals' || !passedOver.includes(field))
          expect([field, hasShape({ ...sample, [field]: [{}] })]).toEqual([field, false])
      }
    }
  })

  test.each([
    { ...signal, probability: 1.5 },
    { ...signal, status: 'Grave' },
    { ...signal, windowEnd: 1e16 },
    { ...signal, windowStart: signal.windowEnd + 1 },
    { ...signal, deviceId: 'x'.repeat(300) },
    { ...signal, features: { a: 'high' } },
    { ...signal, features: { a: { valueOf: 1, toString: 1 } } },
    { ...signal, model: { name: 'failure' } },
    { ...marked, alert: { ...marked.alert, severity: 'fatal' } },
    { ...marked, alert: { ...marked.alert, mark: 'clearing', cause: 'forgotten' } },
    { ...marked, why: [{ feature: 'a', value: 'high', contribution: 1 }] },
  ])('of alert-signals is none of a value that means nothing: %#', (document) => {
    expect(isAlertSignal(JSON.parse(JSON.stringify(document)))).toBe(false)
  })

  test('of device-status has what an alert that ended says', () => {
    const cleared: DeviceStatus = {
      deviceId,
      kind: 'alert-cleared',
      at,
      cause: 'forgotten',
      severity: 'major',
      since: at,
    }
    expect(isDeviceStatus(cleared)).toBe(true)
    expect(isDeviceStatus({ ...cleared, cause: 'probability' })).toBe(false)
    expect(isDeviceStatus({ ...cleared, since: null })).toBe(false)
  })
})
