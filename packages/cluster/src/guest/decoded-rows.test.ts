import { encodeUtf8, limits, type ReadingBatch } from '@millwright/core'
import { createReadingDecoder } from '@millwright/operators'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type DecodedBatch, DecodedRows } from './decoded-rows.ts'

/** Rows with what they say, so that nothing of them points anywhere. */
function rowsOf({ first, batch }: DecodedBatch): unknown[] {
  return Array.from({ length: batch.rowCount }, (_, row) => ({
    row: first + row,
    device: batch.device[row],
    timestampMs: batch.timestampMs[row],
    values: batch.channels.map((channel) => channel[row]),
    line: Buffer.from(batch.bytes.subarray(batch.lineStart[row], batch.lineEnd[row])).toString('latin1'),
    refusal: batch.refusals.find((refusal) => refusal.row === row)?.reason,
  }))
}

/** What a decoder gives while it decodes, and what was kept of that. */
function decodeAndKeep(decoded: DecodedRows, bytes: Uint8Array): { given: unknown[]; kept: unknown[]; end: number } {
  const decoder = createReadingDecoder({ channels: ['t', 'v'], timestamp: 'event', devicesMax: 20_000 })
  const given: unknown[] = []
  let row = 0
  let at = 0
  decoder.decode(bytes, (batch: ReadingBatch) => {
    given.push(...rowsOf({ first: row, batch }))
    at = decoded.add(batch, row, bytes, at)
    row += batch.rowCount
  })
  // The decoder's memory is the next one's: what is kept must not be in it.
  decoder.decode(encodeUtf8('{"deviceId":"z","timestamp":1766000000000,"t":99}\n'.repeat(50)), ({ rowCount }) => {
    expect(rowCount).toBe(50)
  })
  return { given, kept: decoded.batches.flatMap(rowsOf), end: at }
}

const line = fc.oneof(
  fc
    .record({ device: fc.nat(9), timestampMs: fc.integer({ min: 1e12, max: 2e12 }), t: fc.double({ noNaN: true }) })
    .map(({ device, timestampMs, t }) => `{"deviceId":"m-${device}","timestamp":${timestampMs},"t":${t}}`),
  fc.constantFrom(
    '',
    '  ',
    '\r',
    '{"deviceId":"m-1","t',
    'ä',
    ' {"deviceId":"m-2","timestamp":1766000000000,"v":-1} \r',
  ),
)

test('DecodedRows gives what the decoder gave, after the decoder went on (D1, D2)', () => {
  const decoded = new DecodedRows(2)
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 40 }), (lines) => {
      const bytes = encodeUtf8(lines.map((text) => `${text}\n`).join(''))
      decoded.clear()
      const { given, kept, end } = decodeAndKeep(decoded, bytes)
      expect(kept).toEqual(given)
      expect(end).toBe(bytes.length)
    }),
  )
})

test('DecodedRows keeps the batches of a bundle that is decoded in pieces, and a line too long for any', () => {
  const good = '{"deviceId":"m-1","timestamp":1766000000000,"t":1}\n'
  const long = `{"deviceId":"${'x'.repeat(limits.lineBytesMax + 10)}"}\n`
  const bytes = encodeUtf8(good.repeat(6000) + long + good.repeat(10))
  const decoded = new DecodedRows(2)
  const { given, kept, end } = decodeAndKeep(decoded, bytes)
  expect(decoded.batches.length).toBeGreaterThan(2)
  expect(kept.length).toBe(6011)
  expect(kept).toEqual(given)
  expect(end).toBe(bytes.length)
})
