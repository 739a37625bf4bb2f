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
