import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ReadingLineWriter, simulatedLineBytesMax } from './reading-line.ts'

const target = new Uint8Array(2 * simulatedLineBytesMax)

function line(writer: ReadingLineWriter, device: number, timestampMs: number, values: number[], offset = 0): string {
  const end = writer.write(target, offset, { device, timestampMs, values: Float64Array.from(values) })
  return new TextDecoder().decode(target.subarray(offset, end))
}

test('ReadingLineWriter writes the reference form', () => {
  const writer = new ReadingLineWriter({ deviceIdPrefix: 'press-', deviceCount: 10 })
  expect(line(writer, 7, 1_766_000_000_000, [61.2, 2.31, 4.02])).toBe(
    '{"deviceId":"press-07","timestamp":1766000000000,"temperature":61.20,"vibration":2.310,"pressure":4.020}\n',
  )
})

test('ReadingLineWriter gives each number rounded to its decimals, negative and tiny ones too', () => {
  const value = fc.double({ min: -99_999, max: 99_999, noNaN: true })
  const writer = new ReadingLineWriter({ deviceIdPrefix: 'x'.repeat(64), deviceCount: 10_000_000 })
  fc.assert(
    fc.property(
      fc.nat(9_999_999),
      fc.integer({ min: 0, max: 2 ** 43 }),
      fc.tuple(value, value, value),
      fc.nat(simulatedLineBytesMax),
      (device, timestampMs, values, offset) => {
        const text = line(writer, device, timestampMs, values, offset)
        const parsed = JSON.parse(text)
        expect(text.length).toBeLessThanOrEqual(simulatedLineBytesMax - 2)
        expect(parsed.deviceId).toBe(`${'x'.repeat(64)}${String(device).padStart(7, '0')}`)
        expect(parsed.timestamp).toBe(timestampMs)
        expect(Math.abs(parsed.temperature - values[0])).toBeLessThanOrEqual(0.005001)
        expect(Math.abs(parsed.vibration - values[1])).toBeLessThanOrEqual(0.000501)
        expect(Math.abs(parsed.pressure - values[2])).toBeLessThanOrEqual(0.000501)
      },
    ),
    { seed: 7, numRuns: 1000 },
  )
})

test('ReadingLineWriter.deviceId() pads so that ids sort as devices do', () => {
  const writer = new ReadingLineWriter({ deviceIdPrefix: 'm', deviceCount: 101 })
  expect([0, 7, 100].map((device) => writer.deviceId(device))).toEqual(['m000', 'm007', 'm100'])
})
