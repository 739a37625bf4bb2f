import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigurationError } from '@millwright/core'
import { describe, expect, test } from 'vitest'
import { type AlertSettings, definePlant, describePlan, mean, tumbling } from './index.ts'

const plantWith = (alert?: AlertSettings) =>
  definePlant({
    name: 'presses',
    channels: { vibration: { unit: 'mm/s' } },
    window: tumbling('5 min'),
    features: { vibration: mean('vibration') },
    ...(alert === undefined ? {} : { alert }),
  })

function problemsOf(alert: AlertSettings): Record<string, { found: string; wanted: string }> {
  try {
    plantWith(alert)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return Object.fromEntries(error.problems.map(({ field, found, wanted }) => [field, { found, wanted }]))
  }
  throw new Error('the plant is refused')
}

describe('the alert policy of definePlant()', () => {
  test('has no rules, and no other description than before, where it is one threshold', () => {
    expect(plantWith().alert).toEqual({ threshold: null, whyMax: 5 })
    expect(plantWith({ threshold: 0.8, whyMax: 3 }).alert).toEqual({ threshold: 0.8, whyMax: 3 })
    expect(describePlan(plantWith({ threshold: 0.8 }))).toContain('"alert":{"threshold":0.8,"whyMax":5}')
  })

  test('is that of the first entry that matches, and takes over from the plant what the entry does not say', () => {
    const plan = plantWith({
      threshold: 0.8,
      clearThreshold: 0.6,
      severities: { critical: { threshold: 0.95, clearThreshold: 0.9 } },
      windows: { high: 2, of: 3 },
      minimumDuration: '30 min',
      clearAfter: '6 h',
      devices: [
        { match: 'press-*', windows: { high: 1, of: 1 }, clearAfter: null, severities: {} },
        { match: ['pump-1', 'fan-*'], threshold: 0.7 },
      ],
      maintenance: { begin: 'maintenance-begin', end: 'maintenance-end' },
      stops: { begin: 'stop', end: 'start', settle: '10 min' },
    })
    const warning = { severity: 'warning', threshold: 0.8, clearThreshold: 0.6 }
    const critical = { severity: 'critical', threshold: 0.95, clearThreshold: 0.9 }
    const times = { minimumDurationMs: 1_800_000, clearAfterMs: 21_600_000 }
    const policy = { levels: [warning, critical], windows: { high: 2, of: 3 }, ...times }
    expect(plan.alert).toEqual({
      threshold: 0.8,
      whyMax: 5,
      rules: {
        policy,
        devices: [
          {
            match: ['press-*'],
            policy: { levels: [warning], windows: { high: 1, of: 1 }, ...times, clearAfterMs: null },
          },
          {
            match: ['pump-1', 'fan-*'],
            policy: { ...policy, levels: [{ ...warning, threshold: 0.7 }, critical] },
          },
        ],
        mutes: [
          {
            cause: 'maintenance',
            beginType: 'maintenance-begin',
            endType: 'maintenance-end',
            atMostMs: 86_400_000,
            settleMs: 0,
          },
          { cause: 'stopped', beginType: 'stop', endType: 'start', atMostMs: null, settleMs: 600_000 },
        ],
      },
    })
    expect(describePlan(plan)).toContain('"clearThreshold":0.6')
  })

  test('refuses values that are none, naming each', () => {
    const problems = problemsOf({
      clearThreshold: 2,
      windows: { high: 0, of: 65 },
      minimumDuration: '1 hour' as '1 h',
      devices: [{ match: [] }, { match: '' }],
      maintenance: { begin: 'a b', end: 'end', settle: '-1 s' as '1 s' },
    })
    expect(Object.keys(problems).sort()).toEqual([
      'alert.clearThreshold',
      'alert.devices.0.match',
      'alert.devices.1.match',
      'alert.maintenance.begin',
      'alert.maintenance.settle',
      'alert.minimumDuration',
      'alert.windows.high',
      'alert.windows.of',
    ])
    expect(problems['alert.windows.of']).toEqual({ found: '65', wanted: 'a whole number from 1 to 64' })
  })

  test('refuses fields that do not go together, naming each where it stands', () => {
    expect(
      problemsOf({
        threshold: 0.8,
        clearThreshold: 0.9,
        severities: { minor: { threshold: 0.8 }, critical: { threshold: 0.95, clearThreshold: 0.96 } },
        windows: { high: 3, of: 2 },
        minimumDuration: '1 h',
        clearAfter: '30 min',
        devices: [
          { match: ['press-*', 'press-*'], threshold: 0.99 },
          { match: '*', minimumDuration: '2 h' },
          { match: 'fan' },
        ],
        maintenance: { begin: 'service', end: 'service' },
      }),
    ).toEqual({
      'alert.clearThreshold': { found: '0.9', wanted: 'at most the threshold, 0.8' },
      'alert.severities.minor.threshold': { found: '0.8', wanted: 'more than that of warning, 0.8' },
      'alert.severities.critical.clearThreshold': { found: '0.96', wanted: 'at most the threshold, 0.95' },
      'alert.windows.high': { found: '3', wanted: 'at most windows.of, which is 2' },
      'alert.clearAfter': { found: '30 min', wanted: 'at least minimumDuration, 1 h' },
      'alert.devices[0].match': { found: '"press-*"', wanted: 'a pattern that no earlier one is: the first counts' },
      'alert.devices[0].severities.minor.threshold': { found: '0.8', wanted: 'more than that of warning, 0.99' },
      'alert.devices[0].severities.critical.clearThreshold': { found: '0.96', wanted: 'at most the threshold, 0.95' },
      'alert.devices[1].clearAfter': { found: '30 min', wanted: 'at least minimumDuration, 2 h' },
      'alert.devices[2].match': { found: '"fan"', wanted: 'to stand before "*", which matches every device' },
      'alert.maintenance.end': {
        found: '"service"',
        wanted: 'another type of event than that of the beginning',
      },
    })
  })

  test("wants a threshold of the project's own beside others that are compared with it", () => {
    for (const alert of [{ clearThreshold: 0.5 }, { severities: { critical: { threshold: 0.9 } } }] as const)
      expect(Object.keys(problemsOf(alert))).toEqual(['alert.threshold'])
    expect(Object.keys(problemsOf({ devices: [{ match: 'a', clearThreshold: 0.5 }] }))).toEqual([
      'alert.devices[0].threshold',
    ])
  })

  test('takes the example of docs/guide/alerts.md', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/guide/alerts.md'), 'utf8')
    const example = /```ts\nalert: (\{.*?\}),\n```/s.exec(page)?.[1] ?? ''
    const { rules } = plantWith(new Function(`return (${example})`)() as AlertSettings).alert
    expect(rules?.devices.map(({ match }) => match)).toEqual([['press-*', 'mill-07'], ['test-bench-*']])
    expect(rules?.mutes.map(({ cause }) => cause)).toEqual(['maintenance', 'stopped'])
  })
})
