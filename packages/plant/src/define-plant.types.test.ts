import { expect, test } from 'vitest'
import { custom, definePlant, mean, std, tumbling } from './index.ts'

/**
 * What must not compile: the editor tells before the start does. Each directive fails the type check when the line
 * below it begins to compile.
 */
const settings = {
  name: 'types',
  channels: { temperature: { unit: '°C' }, vibration: { unit: 'mm/s' } },
  window: tumbling('5 min'),
} as const

test('definePlant() knows the names of the channels at compile time', () => {
  const good = definePlant({ ...settings, features: { a: std('temperature'), b: mean('vibration') } })
  expect(good.features).toHaveLength(2)
  // @ts-expect-error -- a channel that the plant does not declare
  expect(() => definePlant({ ...settings, features: { a: std('temprature') } })).toThrow('temprature')
  const features = { a: std('vibration') }
  const cleaning = [{ channel: 'heat', max: 1 }] as const
  // @ts-expect-error -- a cleaning rule of a channel that the plant does not declare
  expect(() => definePlant({ ...settings, cleaning, features })).toThrow('heat')
  // @ts-expect-error -- a length of time without a unit
  expect(() => definePlant({ ...settings, window: tumbling('5'), features })).toThrow('window')
  // @ts-expect-error -- a setting that does not exist
  expect(() => definePlant({ ...settings, features, grace: '5 s' })).toThrow('grace')
  // @ts-expect-error -- a series that the feature did not ask for
  expect(custom(['vibration'], ({ values }) => values.temperature.length)).toBeDefined()

  const pair = { begin: 'a', end: 'b' }
  expect(definePlant({ ...settings, features, alert: { threshold: 0.8, stops: pair } }).alert.rules).toBeDefined()
  // @ts-expect-error -- a severity that does not exist
  expect(() => definePlant({ ...settings, features, alert: { severities: { fatal: {} } } })).toThrow('fatal')
  // @ts-expect-error -- a policy of devices that names none
  expect(() => definePlant({ ...settings, features, alert: { devices: [{ threshold: 1 }] } })).toThrow('match')
  // @ts-expect-error -- maintenance without an end
  expect(() => definePlant({ ...settings, features, alert: { maintenance: { begin: 'a' } } })).toThrow('end')
})
