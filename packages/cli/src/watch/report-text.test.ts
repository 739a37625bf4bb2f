/** Method: a simulated fleet is watched for days, and what a person would read is looked through. */
import { PlantWatch } from '@millwright/monitoring'
import { expect, test } from 'vitest'
import { referenceOf, simulatedFleet } from '../../../monitoring/src/testing/simulated-fleet.ts'
import { reportText } from './report-text.ts'

test('an estimate is told with what is not to be read from it: its intervals are too narrow, whether or not it is trusted', () => {
  const fleet = { seed: 1, machines: 3, days: 2, correlation: 0.5 }
  const signals = [...simulatedFleet(fleet)]
  const watch = new PlantWatch({ channels: [], marked: false, referenceOf: () => referenceOf(signals) })
  expect(reportText(watch.report())).toBe('Nothing was recorded yet.')
  for (const signal of signals)
    watch.take({ topic: 'alert-signals', appendTimeMs: signal.windowEnd, text: JSON.stringify(signal) })
  const lines = reportText(watch.report()).split('\n')
  const at = lines.findIndex((line) => /^ +estimated, without verdicts +\S/.test(line))
  expect(lines.slice(at, at + 5).map((line) => line.trim().split(/ {2,}/)[0])).toEqual([
    'estimated, without verdicts',
    'accuracy',
    'precision',
    'recall',
    'these intervals',
  ])
  expect(lines[at + 4]).toContain('narrower than they should be')
})

test('of many features those of the greatest effect are told, and each whose alarm stands, of the fleet or of a machine', () => {
  const fleet = { seed: 1, machines: 3, days: 2, correlation: 0.5 }
  const signals = [...simulatedFleet(fleet)]
  const watch = new PlantWatch({ channels: [], marked: false, referenceOf: () => referenceOf(signals) })
  for (const signal of signals)
    watch.take({ topic: 'alert-signals', appendTimeMs: signal.windowEnd, text: JSON.stringify(signal) })
  const report = watch.report()
  const columns = Array.from({ length: 14 }, (_, i) => ({
    ...{ column: `feature-${i}`, count: 300, psi: 0.1, distance: 0.1, pValue: 0.5, wasserstein: 0 },
    ...{ missingShare: 0, outsideShare: 0, effect: 1 - i / 20, drifted: false, alarmed: i === 13 },
  }))
  const machinesAlarmed = { 'feature-11': 2 }
  const models = report.models.map((model) => ({
    ...model,
    drift: model.drift && { ...model.drift, fleet: { periodEndMs: 1_766_000_000_000, columns }, machinesAlarmed },
  }))
  const lines = reportText({ ...report, models }).split('\n')
  const told = lines.filter((line) => / feature-\d/.test(line))
  expect(told.map((line) => line.trim().split(/ {2,}/)[0])).toEqual(
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13].map((i) => `feature-${i}`),
  )
  expect(told[10]).toContain('alarm of 2 machines by themselves')
  expect(told[11]).toContain('ALARM')
})
