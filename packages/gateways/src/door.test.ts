import { limits, type PartitionLines, partitionOf, type ReadingDecoder } from '@millwright/core'
import { createPlainReadingDecoder, createReadingDecoder, decodeWithJsonParse } from '@millwright/operators'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createDoor, type Door } from './door.ts'

const fields = { channels: ['temperature', 'vibration'], timestamp: 'event' as const }

function doorOf(options: { partitionCount?: number; devicesMax?: number } = {}): Door {
  const { partitionCount = 3, devicesMax = 1000 } = options
  return createDoor({ decoder: createReadingDecoder({ ...fields, devicesMax }), devicesMax, partitionCount })
}

const textOf = (parts: readonly PartitionLines[]): Record<number, string> =>
  Object.fromEntries(parts.map(({ partition, lines }) => [partition, Buffer.from(lines).toString('latin1')]))

/** What must come out, line by line, by the plain decoder and without any runs. */
function expected(bytes: Uint8Array, partitionCount: number) {
  const text = Buffer.from(bytes).toString('latin1')
  const lines = text === '' ? [] : (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
  const parts: Record<number, string> = {}
  const refused: { line: number; reason: string; message: string }[] = []
  let acceptedCount = 0
  for (const [index, raw] of lines.entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    const decoded = decodeWithJsonParse(Buffer.from(line, 'latin1'), 0, line.length, fields)
    if (decoded.kind === 'blank') continue
    const partition = decoded.kind === 'reading' ? partitionOf(decoded.deviceId, partitionCount) : 0
    parts[partition] = `${parts[partition] ?? ''}${line.slice(0, limits.lineBytesMax + 1)}\n`
    if (decoded.kind === 'reading') acceptedCount += 1
    else refused.push({ line: index + 1, reason: decoded.reason, message: decoded.message })
  }
  return { parts, refused, acceptedCount }
}

const id = fc.constantFrom('a', 'b', 'press-07', 'é', 'a much longer identifier of a machine', '')
const reading = fc
  .record({ deviceId: id, timestamp: fc.constantFrom(1.7e12, 'later'), temperature: fc.double({ noNaN: true }) })
  .map((value) => JSON.stringify(value))
const line = fc.oneof(
  { weight: 8, arbitrary: reading },
  { weight: 1, arbitrary: fc.constantFrom('', '  ', '{}', '[1]', '{"deviceId":"a"', '\u00ff') },
)
const delivery = fc
  .array(fc.tuple(line, fc.constantFrom('\n', '\n', '\r\n')), { maxLength: 40, size: 'max' })
  .chain((lines) => fc.boolean().map((final) => ({ lines, final })))
  .map(({ lines, final }) => {
    const text = lines.map(([body, end]) => body + end).join('')
    return Buffer.from(final ? text : text.replace(/\r?\n$/, ''), 'utf8')
  })

describe('Door.readings()', () => {
  test('sorts every line as it came into the partition of its device, in order (D1, D2)', () => {
    fc.assert(
      fc.property(
        fc.array(delivery, { maxLength: 4 }),
        fc.integer({ min: 1, max: 5 }),
        (deliveries, partitionCount) => {
          const door = doorOf({ partitionCount })
          for (const bytes of deliveries) {
            const { parts, refused, refusedCount, acceptedCount } = door.readings(bytes)
            const wanted = expected(bytes, partitionCount)
            expect(textOf(parts)).toEqual(wanted.parts)
            expect({ refused, acceptedCount }).toEqual({ refused: wanted.refused, acceptedCount: wanted.acceptedCount })
            expect(refusedCount).toBe(refused.length)
            for (const { lines, lineCount } of parts)
              expect(Buffer.from(lines).toString('latin1').split('\n').length - 1).toBe(lineCount)
          }
        },
      ),
      { numRuns: 400, seed: 71 },
    )
  })

  test('says of each line of a resumable source where it ends in it', () => {
    fc.assert(
      fc.property(delivery, (bytes) => {
        const wanted: Record<number, number[]> = {}
        let start = 0
        for (let index = 0; start < bytes.length; index++) {
          const newline = bytes.indexOf(10, start)
          const end = newline < 0 ? bytes.length : newline + 1
          const one = doorOf().readings(bytes.subarray(start, end)).parts[0]
          if (one !== undefined) wanted[one.partition] = [...(wanted[one.partition] ?? []), 1000 * index + end]
          start = end
        }
        const { parts } = doorOf().readings(bytes, (index, endByte) => 1000 * index + endByte)
        expect(Object.fromEntries(parts.map((part) => [part.partition, [...(part.linePositions ?? [])]]))).toEqual(
          wanted,
        )
      }),
      { numRuns: 200, seed: 72 },
    )
    expect(doorOf().readings(Buffer.from('{}')).parts[0]).not.toHaveProperty('linePositions')
  })

  test('the memory handed on is used again when it was released, and not before', () => {
    const door = doorOf({ partitionCount: 1 })
    const send = (deviceId: string) =>
      door.readings(Buffer.from(`{"deviceId":"${deviceId}","timestamp":1700000000000,"temperature":1}`))
    const first = send('a')
    const before = textOf(first.parts)
    const second = send('b')
    expect(textOf(first.parts)).toEqual(before)
    second.release()
    expect(send('c').parts[0]?.lines.buffer).toBe(second.parts[0]?.lines.buffer)
    expect(textOf(first.parts)).toEqual(before)
  })

  test('cuts a line that is too long, refuses it, and keeps what is around it (D3)', () => {
    const good = '{"deviceId":"a","timestamp":1700000000000,"temperature":1}'
    for (const length of [limits.lineBytesMax + 1, limits.lineBytesMax + 3, 3 * limits.lineBytesMax]) {
      const bytes = Buffer.from(`${good}\n${'x'.repeat(length)}\n${good}\n`)
      const { parts, refused, acceptedCount } = doorOf({ partitionCount: 1 }).readings(bytes)
      expect(acceptedCount).toBe(2)
      expect(refused).toMatchObject([{ line: 2, reason: 'line-too-long' }])
      const cut = `${good}\n${'x'.repeat(limits.lineBytesMax + 1)}\n${good}\n`
      expect(Buffer.from(parts[0]?.lines ?? []).equals(Buffer.from(cut))).toBe(true)
    }
  })

  test('takes any number of devices with a small directory, the same as with a large one (D4)', () => {
    const ids = Array.from({ length: 3000 }, (_, i) => `m${Math.imul(i, 2654435761) % 500}`)
    const lines = ids.map((deviceId, i) => JSON.stringify({ deviceId, timestamp: 1.7e12 + i, temperature: i }))
    const short = Array.from(
      { length: 300 },
      (_, i) => `{"deviceId":"${String.fromCharCode(0x4e00 + i)}","timestamp":9e8,"temperature":1}`,
    )
    const bytes = Buffer.from([...lines, ...short].join('\n'))
    const wanted = doorOf({ devicesMax: 100_000 }).readings(bytes)
    for (const devicesMax of [2, 3, 64, 700]) {
      const { parts, acceptedCount, refusedCount } = doorOf({ devicesMax }).readings(bytes)
      expect(textOf(parts)).toEqual(textOf(wanted.parts))
      expect([acceptedCount, refusedCount]).toEqual([wanted.acceptedCount, wanted.refusedCount])
    }
  })

  test('forgets devices only when the directory could be full (D4)', () => {
    const decoder = createPlainReadingDecoder({ ...fields, devicesMax: 8 })
    const forgotten: number[] = []
    const watched: ReadingDecoder = Object.assign(Object.create(decoder), {
      decode: decoder.decode.bind(decoder),
      deviceId: decoder.deviceId.bind(decoder),
      forget: (indices: Int32Array) => {
        forgotten.push(indices.length)
        decoder.forget(indices)
      },
    })
    const door = createDoor({ decoder: watched, devicesMax: 8, partitionCount: 2 })
    const send = (deviceId: string): unknown =>
      door.readings(Buffer.from(JSON.stringify({ deviceId, timestamp: 1.7e12, temperature: 1 })))
    for (const deviceId of ['a', 'b', 'a', 'b', 'c', 'd', 'a']) send(deviceId)
    expect(forgotten).toEqual([])
    for (const deviceId of ['e', 'f', 'g', 'h', 'i']) send(deviceId)
    expect(forgotten).toEqual([5])
  })

  test('lists at most so many refused lines, and counts all', () => {
    const bytes = Buffer.from('x\n'.repeat(limits.refusalsReportedMax + 5000))
    const { refused, refusedCount, parts } = doorOf().readings(bytes)
    expect(refused).toHaveLength(limits.refusalsReportedMax)
    expect(refusedCount).toBe(limits.refusalsReportedMax + 5000)
    expect(parts).toMatchObject([{ partition: 0, lineCount: refusedCount }])
    expect(refused.at(-1)).toMatchObject({ line: limits.refusalsReportedMax, reason: 'not-json' })
  })

  test('nothing and blank lines give nothing to append', () => {
    expect(doorOf().readings(Buffer.from('')).parts).toEqual([])
    expect(doorOf().readings(Buffer.from('\n\r\n  \n')).parts).toEqual([])
  })
})

describe('Door.deviceEvents()', () => {
  const send = (...lines: string[]) => doorOf().deviceEvents(Buffer.from(lines.join('\n')))

  test('takes events, by device, as they came', () => {
    const line = '{ "type":"maintenance", "deviceId":"press-07", "timestamp":"2024-01-01T00:00:00Z" }'
    const { parts, acceptedCount, refused } = send(line, '', `${line}\r`)
    expect(textOf(parts)).toEqual({ [partitionOf('press-07', 3)]: `${line}\n${line}\n` })
    expect([acceptedCount, refused]).toEqual([2, []])
  })

  test.each([
    ['x', 'not-json'],
    ['[]', 'not-an-object'],
    ['{"timestamp":1,"type":"error"}', 'device-id-missing'],
    ['{"deviceId":7,"timestamp":1,"type":"error"}', 'device-id-not-a-string'],
    ['{"deviceId":"","timestamp":1,"type":"error"}', 'device-id-empty'],
    ['{"deviceId":"a\\u0000","timestamp":1,"type":"error"}', 'device-id-control-character'],
    [`{"deviceId":"${'a'.repeat(257)}","timestamp":1,"type":"error"}`, 'device-id-too-long'],
    ['{"deviceId":"a","type":"error"}', 'timestamp-missing'],
    ['{"deviceId":"a","timestamp":true,"type":"error"}', 'timestamp-not-a-time'],
    ['{"deviceId":"a","timestamp":1}', 'event-type-missing'],
    ['{"deviceId":"a","timestamp":1,"type":""}', 'event-type-missing'],
  ])('refuses %s as %s, and hands it on all the same', (line, reason) => {
    const good = '{"deviceId":"a","timestamp":1,"type":"error"}'
    const { parts, acceptedCount, refused } = send(good, line)
    expect(refused).toMatchObject([{ line: 2, reason }])
    expect(acceptedCount).toBe(1)
    expect(Object.values(textOf(parts)).join('')).toContain(`${line}\n`)
  })

  test('an event whose device can be read goes to the partition of its device though it is refused', () => {
    const partition = partitionOf('press-07', 3)
    expect(send('{"deviceId":"press-07","timestamp":1}').parts).toMatchObject([{ partition }])
    expect(send('x').parts).toMatchObject([{ partition: 0 }])
  })
})
