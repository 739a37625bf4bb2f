/** Each rule of a reading with its reason and its words: `docs/decisions/decoding.md` lists them in the same order. */
import { type DeadLetterReason, deadLetterReasons, encodeUtf8, limits } from '@millwright/core'
import { expect, test } from 'vitest'
import { decodeWithJsonParse } from './decode-with-json-parse.ts'

const fields = { channels: ['temperature', 'vibration', 'pressure'], timestamp: 'event' } as const

function decode(line: string | Uint8Array, given: Parameters<typeof decodeWithJsonParse>[3] = fields) {
  const bytes = typeof line === 'string' ? encodeUtf8(line) : line
  // With bytes before and after that must not be read.
  const inside = new Uint8Array(bytes.length + 4).fill(0x5b)
  inside.set(bytes, 2)
  return decodeWithJsonParse(inside, 2, 2 + bytes.length, given)
}

/** A line that is right but for what is said of it. */
function reading(members: Record<string, string>): string {
  const all = { deviceId: '"press-07"', timestamp: '1766000000000', temperature: '61.2', ...members }
  const kept = Object.entries(all).filter(([, value]) => value !== '')
  return `{${kept.map(([key, value]) => `"${key}":${value}`).join(',')}}`
}

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

const refusals: readonly (readonly [DeadLetterReason, string | Uint8Array, string])[] = [
  ['line-too-long', `{${' '.repeat(limits.lineBytesMax)}`, 'line: found more than 1048576 bytes, wanted at most that'],
  [
    'not-utf8',
    Uint8Array.of(0x7b, 0x22, 0xc3, 0xbc, 0xfc, 0x22),
    'line: found byte 0xfc at byte 4, which is not UTF-8, wanted UTF-8',
  ],
  ['too-deep', reading({ other: nested(65) }), 'line: found values nested more than 64 deep, wanted at most 64'],
  ['too-deep', '['.repeat(100_000), 'line: found values nested more than 64 deep, wanted at most 64'],
  ['not-json', '{"ü":1,', 'line: found its end at byte 8, in the middle of a value, wanted one JSON object'],
  ['not-json', '\ufeff{x', 'line: found "x" at byte 4, where JSON cannot go on, wanted one JSON object'],
  ['not-json', 'deviceId,timestamp', 'line: found "d" at byte 0, where JSON cannot go on, wanted one JSON object'],
  ['not-an-object', '[1]', 'line: found a list, wanted one JSON object'],
  ['not-an-object', 'null', 'line: found null, wanted one JSON object'],
  ['not-an-object', '"a"', 'line: found text "a", wanted one JSON object'],
  [
    'device-id-missing',
    reading({ deviceId: '' }),
    'deviceId: found nothing, wanted text of 1 to 256 bytes without control characters',
  ],
  [
    'device-id-missing',
    reading({ deviceId: 'null' }),
    'deviceId: found null, wanted text of 1 to 256 bytes without control characters',
  ],
  [
    'device-id-not-a-string',
    reading({ deviceId: '7' }),
    'deviceId: found 7, wanted text of 1 to 256 bytes without control characters',
  ],
  [
    'device-id-empty',
    reading({ deviceId: '""' }),
    'deviceId: found empty text, wanted text of 1 to 256 bytes without control characters',
  ],
  [
    'not-utf8',
    reading({ deviceId: '"a\\ud800"' }),
    'deviceId: found text "a\\ud800" with half of a surrogate pair, wanted text of 1 to 256 bytes without control characters',
  ],
  [
    'device-id-too-long',
    reading({ deviceId: `"${'é'.repeat(5000)}"` }),
    `deviceId: found text "${'é'.repeat(40)}"… of 10000 bytes, wanted text of 1 to 256 bytes without control characters`,
  ],
  [
    'device-id-control-character',
    reading({ deviceId: '"a\\u0000b"' }),
    'deviceId: found text "a\\u0000b", wanted text of 1 to 256 bytes without control characters',
  ],
  [
    'timestamp-missing',
    reading({ timestamp: '' }),
    'timestamp: found nothing, wanted epoch milliseconds, or ISO 8601 with a zone such as "2025-12-17T19:33:20Z"',
  ],
  [
    'timestamp-not-a-time',
    reading({ timestamp: '"1766000000000"' }),
    'timestamp: found text "1766000000000", wanted epoch milliseconds, or ISO 8601 with a zone such as "2025-12-17T19:33:20Z"',
  ],
  [
    'timestamp-not-a-time',
    reading({ timestamp: '"2025-12-17T19:33:20"' }),
    'timestamp: found text "2025-12-17T19:33:20", which names no zone, wanted a zone after it: Z, or as in +01:00',
  ],
  [
    'timestamp-looks-like-seconds',
    reading({ timestamp: '1766000000' }),
    'timestamp: found 1766000000, which looks like seconds, wanted epoch milliseconds',
  ],
  [
    'timestamp-out-of-range',
    reading({ timestamp: '1766000000000000' }),
    'timestamp: found 1766000000000000, which looks like microseconds, wanted a time from 1970 to 2200 in epoch milliseconds or ISO 8601',
  ],
  [
    'timestamp-out-of-range',
    reading({ timestamp: '"1969-12-31T23:59:59.999Z"' }),
    'timestamp: found text "1969-12-31T23:59:59.999Z", wanted a time from 1970 to 2200 in epoch milliseconds or ISO 8601',
  ],
  [
    'channel-not-a-number',
    reading({ vibration: '"2.3"' }),
    'vibration: found text "2.3", wanted a finite number, or null',
  ],
  ['channel-not-a-number', reading({ vibration: '{}' }), 'vibration: found an object, wanted a finite number, or null'],
  ['channel-not-finite', reading({ pressure: '-1e999' }), 'pressure: found -Infinity, wanted a finite number, or null'],
  [
    'no-channel',
    reading({ temperature: 'null' }),
    'line: found none of the declared channels, wanted a number for at least one of temperature, vibration, pressure',
  ],
]

test.each(refusals)('decodeWithJsonParse() refuses with %s', (reason, line, message) => {
  expect(decode(line)).toMatchObject({ kind: 'refused', reason, message })
})

test('every reason that one line can have has a case here', () => {
  const ofSeveralLines = ['future', 'jump-not-confirmed', 'devices-max', 'event-type-missing', 'function-failed']
  const covered = new Set<string>(refusals.map(([reason]) => reason))
  expect(deadLetterReasons.filter((reason) => !covered.has(reason))).toEqual(ofSeveralLines)
})

test('a refusal carries the id where that is in order, and only there', () => {
  expect(decode(reading({ timestamp: 'true' }))).toMatchObject({ deviceId: 'press-07' })
  expect(decode(reading({ temperature: 'true' }))).toMatchObject({ deviceId: 'press-07' })
  expect(decode(reading({ temperature: '' }))).toMatchObject({ deviceId: 'press-07' })
  expect(decode(reading({ deviceId: `"${'x'.repeat(257)}"` }))).toMatchObject({ deviceId: null })
  expect(decode(`${reading({})}}`)).toMatchObject({ deviceId: null })
})

test('the first check that fails names the reason, in the order of the rules', () => {
  // Each line breaks its own rule and all after it.
  const order: readonly (readonly [DeadLetterReason, string])[] = [
    ['device-id-missing', '{"timestamp":"x","temperature":"x"}'],
    ['timestamp-not-a-time', '{"deviceId":"a","timestamp":"x","temperature":"x"}'],
    ['channel-not-a-number', '{"deviceId":"a","timestamp":1766000000000,"pressure":1e999,"temperature":"x"}'],
    ['channel-not-finite', '{"deviceId":"a","timestamp":1766000000000,"pressure":1e999}'],
  ]
  for (const [reason, line] of order) expect(decode(line)).toMatchObject({ reason })
})

test('a reading has its own values: missing is NaN, -0 is -0, the last of equal keys counts, unknown fields are ignored', () => {
  const line =
    '{"temperature":5,"deviceId":"x","timestamp":1766000000000.9,"vibration":-0,"pressure":7,"pressure":null,"temperature":6,' +
    '"deviceId":"press-07","__proto__":{"pressure":1},"toString":[1]}'
  expect(decode(line)).toEqual({
    kind: 'reading',
    deviceId: 'press-07',
    timestampMs: 1_766_000_000_000,
    values: [6, -0, Number.NaN],
  })
})

test('what every object inherits is not in the line', () => {
  const channels = { channels: ['__proto__', 'constructor', 'toString'], timestamp: 'event' } as const
  expect(decode(reading({}), channels)).toMatchObject({ reason: 'no-channel' })
  expect(decode(reading({ __proto__x: '1' }).replace('__proto__x', '__proto__'), channels)).toMatchObject({
    values: [1, Number.NaN, Number.NaN],
  })
})

test('a value inside a reading may nest jsonDepthMax deep', () => {
  expect(decode(reading({ other: nested(limits.jsonDepthMax) })).kind).toBe('reading')
})

test('a timestamp is rounded down, -0 is 0, and both ends of the range are what the rule says', () => {
  const at = (timestamp: string) => decode(reading({ timestamp }))
  expect(at('-0')).toMatchObject({ timestampMs: 0 })
  expect(at('0.9')).toMatchObject({ timestampMs: 0 })
  expect(at('-0.1')).toMatchObject({ reason: 'timestamp-out-of-range' })
  expect(at('7289654399999.9')).toMatchObject({ timestampMs: 7_289_654_399_999 })
  expect(at('7289654400000')).toMatchObject({ reason: 'timestamp-out-of-range' })
  expect(at('946684799.9')).toMatchObject({ timestampMs: 946_684_799 })
  expect(at('946684800')).toMatchObject({ reason: 'timestamp-looks-like-seconds' })
  expect(at('7289654399.9')).toMatchObject({ reason: 'timestamp-looks-like-seconds' })
  expect(at('7289654400')).toMatchObject({ timestampMs: 7_289_654_400 })
  // A time in words is what it says, also where the number would look like seconds.
  expect(at('"1970-02-01T00:00:00Z"')).toMatchObject({ timestampMs: 31 * 86_400_000 })
  expect(at('"2201-01-01T00:30:00+00:31"')).toMatchObject({ timestampMs: 7_289_654_399_999 + 1 - 60_000 })
  expect(at('"2200-12-31T23:59:59.999-00:01"')).toMatchObject({ reason: 'timestamp-out-of-range' })
})

test('in a plan of arrival times a field named timestamp is like any other', () => {
  const arrival = { ...fields, timestamp: 'arrival' } as const
  for (const timestamp of ['', 'true', '"x"', '1766000000'])
    expect(decode(reading({ timestamp }), arrival)).toMatchObject({ kind: 'reading', timestampMs: Number.NaN })
})

test('a line of white space is blank, with a byte order mark or without; a no-break space is not white space', () => {
  for (const line of ['', ' ', '\t \r', '\ufeff', '\ufeff \t']) expect(decode(line)).toEqual({ kind: 'blank' })
  expect(decode('\u00a0')).toMatchObject({ reason: 'not-json' })
  expect(decode(`\ufeff${reading({})}`)).toMatchObject({ kind: 'reading' })
  expect(decode(`\ufeff\ufeff${reading({})}`)).toMatchObject({ reason: 'not-json' })
})

test('a device id has 1 to 256 UTF-8 bytes and no control character of C0, DEL or C1', () => {
  const withId = (deviceId: string) => decode(reading({ deviceId: JSON.stringify(deviceId) }))
  for (const id of ['a', '\u00a0', '~', '😀', '设备-1', 'x'.repeat(256), 'é'.repeat(128), '"', '\\', '__proto__'])
    expect(withId(id)).toMatchObject({ kind: 'reading', deviceId: id })
  for (const id of ['\u0000', 'a\u001f', '\u007f', '\u0080', 'a\u009fb', '\n'])
    expect(withId(id)).toMatchObject({ reason: 'device-id-control-character' })
  for (const id of ['x'.repeat(257), `${'é'.repeat(128)}x`, '😀'.repeat(65)])
    expect(withId(id)).toMatchObject({ reason: 'device-id-too-long' })
})
