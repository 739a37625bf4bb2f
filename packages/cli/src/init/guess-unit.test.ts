import { describe, expect, test } from 'vitest'
import { guessUnit, nameColumn } from './guess-unit.ts'

describe('guessUnit()', () => {
  test.each([
    ['temperature', '°C'],
    ['oilTemp2', '°C'],
    ['vibration', 'mm/s'],
    ['Druck', 'bar'],
    ['rotation', '1/min'],
    ['Füllstand', '%'],
    ['efficiency', '%'],
    ['value', '1'],
    ['x1', '1'],
  ])('takes %s to be in %s', (name, unit) => {
    expect(guessUnit(name)).toBe(unit)
  })
})

describe('nameColumn()', () => {
  test.each([
    ['temperature', 'temperature', null],
    ['Temp_2', 'Temp_2', null],
    ['Öl-Temp. 1 [°C]', 'oelTemp1', '°C'],
    ['Pressure (bar)', 'Pressure', 'bar'],
    ['Pressure (k Pa)', 'Pressure', 'kPa'],
    ['2nd stage', 'channel2ndStage', null],
    ['温度', 'channel', null],
    ['timestamp', 'channeltimestamp', null],
    ['__proto__', 'proto', null],
    ['x'.repeat(80), 'x'.repeat(44), null],
  ])('names the column %j', (header, channel, unit) => {
    expect(nameColumn(header, new Set())).toEqual({ channel, unit })
  })

  test('gives no name twice', () => {
    expect(nameColumn('a b', new Set(['aB', 'aB2'])).channel).toBe('aB3')
  })
})
