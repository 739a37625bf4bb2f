import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createTimeZone } from './time-zone.ts'

/** What clocks of the zone show at an instant, as if it were UTC: the platform's own answer, in another locale's form. */
const formats = new Map<string, Intl.DateTimeFormat>()
function wallMs(epochMs: number, timeZone: string): number {
  const format =
    formats.get(timeZone) ?? new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
  formats.set(timeZone, format)
  const text = format.format(epochMs)
  return Date.parse(`${text.replace(' ', 'T')}Z`)
}

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Africa/Casablanca',
  'Pacific/Apia',
  'America/Sao_Paulo',
  'Africa/Cairo',
]
const seconds = fc.integer({ min: 0, max: Date.UTC(2040, 0, 1) / 1000 })

describe('createTimeZone()', () => {
  test('an instant is found again from what its clocks show, unless an earlier one shows the same', () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), seconds, (name, second) => {
        const shown = wallMs(second * 1000, name)
        const found = createTimeZone(name).epochMs(shown)
        expect(wallMs(found, name)).toBe(shown)
        expect(found).toBeLessThanOrEqual(second * 1000)
      }),
      { numRuns: 400, seed: 41 },
    )
  })

  test('near every change of the clocks of 20 years it agrees with a search through all instants around', () => {
    for (const name of ['Europe/Berlin', 'Australia/Lord_Howe', 'Africa/Casablanca']) {
      const zone = createTimeZone(name)
      const stepMs = 900_000
      for (let at = Date.UTC(2005, 0, 1); at < Date.UTC(2025, 0, 1); at += 86_400_000) {
        if (wallMs(at + 86_400_000, name) - wallMs(at, name) === 86_400_000) continue
        const instants = Array.from({ length: 3 * 96 }, (_, i) => at - 86_400_000 + i * stepMs)
        const shown = new Map<number, number>()
        for (const instant of instants.reverse()) shown.set(wallMs(instant, name), instant)
        for (let wall = wallMs(at, name); wall < wallMs(at + 86_400_000, name); wall += stepMs)
          expect(zone.epochMs(wall), `${name} ${new Date(wall).toISOString()}`).toBe(shown.get(wall) ?? Number.NaN)
      }
    }
  })

  test('a day that a zone left out has no instants', () => {
    // Samoa went from Thursday 29 to Saturday 31 December 2011.
    expect(createTimeZone('Pacific/Apia').epochMs(Date.UTC(2011, 11, 30, 12))).toBeNaN()
  })

  test('takes the zone for UTC outside of 1970–2200', () => {
    const wall = Date.UTC(1850, 0, 1)
    expect(createTimeZone('Europe/Berlin').epochMs(wall)).toBe(wall)
    expect(createTimeZone('Europe/Berlin').epochMs(Number.NaN)).toBeNaN()
  })
})
