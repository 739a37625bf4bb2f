/** Method: a file sink on the system's own full device, and in a real folder. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AlertMark, AlertSignal } from '@millwright/core'
import { definePlant, mean, tumbling } from '@millwright/plant'
import { afterAll, expect, test } from 'vitest'
import { openSinks } from './sinks.ts'

const folder = mkdtempSync(join(tmpdir(), 'millwright-sinks-'))
afterAll(() => rmSync(folder, { recursive: true }))

const plan = definePlant({
  name: 'sinks',
  channels: { vibration: { unit: 'mm/s' } },
  window: tumbling('1 min'),
  features: { vibration: mean('vibration') },
  sinks: [{ kind: 'console' }, { kind: 'file', path: 'alerts/high.ndjson' }],
})
const alert: AlertSignal = {
  deviceId: 'press-1',
  probability: 0.9,
  status: 'High risk of failure',
  windowStart: 0,
  windowEnd: 60_000,
  revision: 0,
  model: { name: 'm', version: '1' },
  features: { vibration: 3.5 },
  why: [{ feature: 'vibration', value: 3.5, contribution: 1.5 }],
}

test('a file sink makes its folder, and is appended to by the next start', () => {
  const printed: string[] = []
  for (const line of ['{"first":1}', '{"second":2}']) {
    const sinks = openSinks(plan, join(folder, 'data'), (text) => printed.push(text))
    sinks.send(alert, line)
    sinks.close()
  }
  expect(readFileSync(join(folder, 'data/alerts/high.ndjson'), 'utf8')).toBe('{"first":1}\n{"second":2}\n')
  expect(printed).toHaveLength(2)
  expect(printed[0]).toContain('press-1: 90.0 % risk of failure')
})

test('under an alert policy a sink gets what raises an alert or makes it graver', () => {
  const { rules } = definePlant({
    name: 'policy',
    channels: { vibration: { unit: 'mm/s' } },
    window: tumbling('1 min'),
    features: { vibration: mean('vibration') },
    alert: { threshold: 0.8, severities: { critical: { threshold: 0.95 } } },
  }).alert
  if (rules === undefined) throw new Error('the plan has rules')
  const printed: string[] = []
  const withRules = { ...plan, alert: { ...plan.alert, rules } }
  const sinks = openSinks(withRules, join(folder, 'policy'), (text) => printed.push(text))
  const marks: readonly AlertMark[] = [
    { mark: 'raising', severity: 'warning', since: 1 },
    { mark: 'holding', severity: 'warning', since: 1 },
    { mark: 'holding', severity: 'critical', since: 1, before: 'warning' },
    { mark: 'holding', severity: 'warning', since: 1, before: 'critical' },
  ]
  for (const [i, mark] of marks.entries()) sinks.send({ ...alert, alert: mark }, `{"i":${i}}`)
  sinks.send(alert, '{"i":"no alert yet"}')
  sinks.send({ ...alert, muted: 'maintenance' }, '{"i":"muted"}')
  sinks.close()
  expect(readFileSync(join(folder, 'policy/alerts/high.ndjson'), 'utf8')).toBe('{"i":0}\n{"i":2}\n')
  expect(printed.map((text) => text.split(' ')[1])).toEqual(['warning', 'critical'])
})

test.skipIf(!existsSync('/dev/full'))('a file sink on a full disk is complained of once and stops nothing (S1)', () => {
  const data = join(folder, 'full')
  mkdirSync(join(data, 'alerts'), { recursive: true })
  symlinkSync('/dev/full', join(data, 'alerts/high.ndjson'))
  const [printed, complaints] = [[] as string[], [] as string[]]
  const sinks = openSinks(
    plan,
    data,
    (text) => printed.push(text),
    (text) => complaints.push(text),
  )
  for (let i = 0; i < 3; i++) sinks.send(alert, '{}')
  sinks.close()
  expect(printed).toHaveLength(3)
  expect(complaints).toEqual([expect.stringContaining('ENOSPC')])
})
