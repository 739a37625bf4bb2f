import { createTimeReader } from '@millwright/gateways/files'
import { describe, expect, test } from 'vitest'
import { guessTime } from './guess-time.ts'

/** A month of times, printed by `print`. */
const printed = (print: (date: Date) => string): string[] =>
  Array.from({ length: 60 }, (_, i) => print(new Date(Date.UTC(2024, 0, 20, 6) + i * 43_200_000 + i * 61_000)))
const two = (value: number): string => String(value).padStart(2, '0')

describe('guessTime()', () => {
  test.each([
    ['iso', (d: Date) => d.toISOString(), true],
    ['iso', (d: Date) => d.toISOString().slice(0, 19).replace('T', ' '), false],
    ['iso', (d: Date) => `${d.toISOString().slice(0, 19)}+01:00`, true],
    ['iso', (d: Date) => d.toISOString().slice(0, 10), false],
    ['epoch-ms', (d: Date) => String(d.getTime()), true],
    ['epoch-s', (d: Date) => (d.getTime() / 1000).toFixed(3), true],
    [
      'dd.MM.yyyy HH:mm:ss[.SSS]',
      (d: Date) =>
        `${two(d.getUTCDate())}.${two(d.getUTCMonth() + 1)}.${d.getUTCFullYear()} ${d.toISOString().slice(11, 19)}`,
      false,
    ],
    [
      'MM/dd/yyyy HH:mm',
      (d: Date) =>
        `${two(d.getUTCMonth() + 1)}/${two(d.getUTCDate())}/${d.getUTCFullYear()} ${d.toISOString().slice(11, 16)}`,
      false,
    ],
    [
      'd/M/yyyy H:mm',
      (d: Date) =>
        `${d.getUTCDate()}/${d.getUTCMonth() + 1}/${d.getUTCFullYear()} ${d.getUTCHours()}:${two(d.getUTCMinutes())}`,
      false,
    ],
    ['yyyyMMddHHmmss', (d: Date) => d.toISOString().replace(/[-T:]|\.\d+Z/g, ''), false],
  ])('finds %s', (format, print, zoned) => {
    const cells = printed(print)
    expect(guessTime(cells)).toMatchObject({ format, zoned })
    const read = createTimeReader({ format, timeZone: 'UTC' })
    expect(cells.every((cell) => !Number.isNaN(read(cell)))).toBe(true)
  })

  test('where day and month could be either, takes the order in which time goes on, and names the other', () => {
    const days = Array.from({ length: 12 }, (_, i) => `${two(i + 1)}/03/2024 08:00`)
    expect(guessTime(days)).toMatchObject({ format: 'dd/MM/yyyy HH:mm', orElse: 'MM/dd/yyyy HH:mm' })
    const months = Array.from({ length: 12 }, (_, i) => `03/${two(i + 1)}/2024 08:00`)
    expect(guessTime(months)).toMatchObject({ format: 'MM/dd/yyyy HH:mm', orElse: 'dd/MM/yyyy HH:mm' })
    expect(guessTime(['25/03/2024 08:00'])?.orElse).toBeNull()
  })

  test.each([
    ['12.5', '13.5'],
    ['warm'],
    ['2024-01-01', 'never'],
    ['123456789'],
    ['12:30:00'],
  ])('finds no time in %j', (...cells) => {
    expect(guessTime(cells)).toBeNull()
  })
})
