import { describe, expect, test } from 'vitest'
import { createTimeReader } from './time-format.ts'

const read = (format: string, text: string, timeZone = 'UTC'): string | number => {
  const epochMs = createTimeReader({ format, timeZone })(text)
  return Number.isNaN(epochMs) ? 'not a time' : new Date(epochMs).toISOString()
}

describe('createTimeReader()', () => {
  test.each([
    ['iso', '2013-12-02 21:15:00', '2013-12-02T21:15:00.000Z'],
    ['iso', '2013-12-02T21:15', '2013-12-02T21:15:00.000Z'],
    ['iso', '2013-12-02', '2013-12-02T00:00:00.000Z'],
    ['iso', '2013-12-02T21:15:00.1239Z', '2013-12-02T21:15:00.123Z'],
    ['iso', '2013-12-02T21:15:00,5+01:30', '2013-12-02T19:45:00.500Z'],
    ['iso', '2013-12-02 21:15:00 -0800', '2013-12-03T05:15:00.000Z'],
    ['iso', '2013-12-02T21:15:00+01', '2013-12-02T20:15:00.000Z'],
    ['epoch-ms', '1386018900000', '2013-12-02T21:15:00.000Z'],
    ['epoch-ms', '1386018900000.9', '2013-12-02T21:15:00.000Z'],
    ['epoch-s', '1386018900', '2013-12-02T21:15:00.000Z'],
    ['epoch-s', '1386018900.1239', '2013-12-02T21:15:00.123Z'],
    ['epoch-s', '1766000000.07', '2025-12-17T19:33:20.070Z'],
    ['dd.MM.yyyy HH:mm:ss', '02.12.2013 21:15:00', '2013-12-02T21:15:00.000Z'],
    ['yyyy-MM-dd HH:mm:ss[.SSS]', '2013-12-02 21:15:00', '2013-12-02T21:15:00.000Z'],
    ['yyyy-MM-dd HH:mm:ss[.SSS]', '2013-12-02 21:15:00.045', '2013-12-02T21:15:00.045Z'],
    ['d.M.yy H:mm', '2.12.13 9:05', '2013-12-02T09:05:00.000Z'],
    ['M/d/yyyy h:mm a', '12/2/2013 12:15 AM', '2013-12-02T00:15:00.000Z'],
    ['M/d/yyyy h:mm a', '12/2/2013 12:15 pm', '2013-12-02T12:15:00.000Z'],
    ["yyyyMMdd'T'HHmmss", '20131202T211500', '2013-12-02T21:15:00.000Z'],
    ['dd.MM.yyyy', '29.02.2024', '2024-02-29T00:00:00.000Z'],
  ])('%s reads %s', (format, text, wanted) => {
    expect(read(format, text)).toBe(wanted)
  })

  test.each([
    ['iso', '2013-02-29'],
    ['iso', '2013-12-02T24:00:00'],
    ['iso', '2013-12-02T21:60:00'],
    ['iso', '2013-12-02T21:15:60'],
    ['iso', '2013-12-02T21:15:00+24:00'],
    ['iso', '1386018900000'],
    ['iso', ' 2013-12-02'],
    ['iso', '0070-01-01T00:00:00Z'],
    ['epoch-ms', '2013-12-02'],
    ['epoch-s', '1.386e9'],
    ['epoch-s', ''],
    ['dd.MM.yyyy HH:mm:ss', '2.12.2013 21:15:00'],
    ['dd.MM.yyyy HH:mm:ss', '2013-12-02T21:15:00Z'],
    ['M/d/yyyy h:mm a', '12/2/2013 13:15 PM'],
    ['M/d/yyyy h:mm a', '12/2/2013 0:15 AM'],
    ['dd.MM.yyyy', '31.04.2024'],
  ])('%s does not take %j for a time', (format, text) => {
    expect(read(format, text)).toBe('not a time')
  })

  test.each([
    ['yyyy-MM-dd HH:mm:ss Q', 'no letter "Q"'],
    ['HH:mm', 'year, month and day'],
    ['yyyy-MM-dd h:mm', '"a" (am or pm)'],
    ['yyyy-MM-dd MM', '"MM" once'],
    ['yyyy-MM-dd [HH:mm', 'a "]" for each'],
    ['yyyy-MM-dd ]', 'a "[" before'],
    ["yyyy-MM-dd'T", 'no letter "\'"'],
  ])('refuses the pattern %s and says what is wanted', (format, wanted) => {
    expect(() => createTimeReader({ format, timeZone: 'UTC' })).toThrow(wanted)
    expect(() => createTimeReader({ format, timeZone: 'UTC' })).toThrow('csv.timestamp.format')
  })

  test('refuses a zone that the platform does not know', () => {
    expect(() => createTimeReader({ format: 'iso', timeZone: 'Europe/Atlantis' })).toThrow('csv.timestamp.timeZone')
  })

  test('reads a time without a zone by the clocks of the declared zone, and one with a zone by its own', () => {
    expect(read('iso', '2024-01-15 12:00:00', 'Europe/Berlin')).toBe('2024-01-15T11:00:00.000Z')
    expect(read('iso', '2024-07-15 12:00:00', 'Europe/Berlin')).toBe('2024-07-15T10:00:00.000Z')
    expect(read('iso', '2024-07-15T12:00:00Z', 'Europe/Berlin')).toBe('2024-07-15T12:00:00.000Z')
    expect(read('dd.MM.yyyy HH:mm', '15.07.2024 12:00', 'Asia/Kolkata')).toBe('2024-07-15T06:30:00.000Z')
  })

  test('where clocks are set forward, the hour that no clock shows is not a time', () => {
    expect(read('iso', '2024-03-31 01:59:59', 'Europe/Berlin')).toBe('2024-03-31T00:59:59.000Z')
    expect(read('iso', '2024-03-31 02:00:00', 'Europe/Berlin')).toBe('not a time')
    expect(read('iso', '2024-03-31 02:59:59', 'Europe/Berlin')).toBe('not a time')
    expect(read('iso', '2024-03-31 03:00:00', 'Europe/Berlin')).toBe('2024-03-31T01:00:00.000Z')
  })

  test('where clocks are set back, the hour shown twice is the first of the two', () => {
    expect(read('iso', '2024-10-27 01:59:59', 'Europe/Berlin')).toBe('2024-10-26T23:59:59.000Z')
    expect(read('iso', '2024-10-27 02:00:00', 'Europe/Berlin')).toBe('2024-10-27T00:00:00.000Z')
    expect(read('iso', '2024-10-27 02:59:59', 'Europe/Berlin')).toBe('2024-10-27T00:59:59.000Z')
    expect(read('iso', '2024-10-27 03:00:00', 'Europe/Berlin')).toBe('2024-10-27T02:00:00.000Z')
  })
})
