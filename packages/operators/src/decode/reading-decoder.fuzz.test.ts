/**
 * Method: random lines, most of them nearly right, go through the kernel's decoder and through the plain one, which asks JSON.parse;
 * every row must be the same, also where the bytes are cut into calls elsewhere. Seeded: a failure prints the line and the seed.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type DecodedRow, decodeRows, difference, rowsOf } from './decode-testing.ts'
import { createPlainReadingDecoder } from './plain-reading-decoder.ts'
import { createReadingDecoder } from './reading-decoder.ts'

const seed = Number(process.env['MILLWRIGHT_FUZZ_SEED'] ?? 20260101)
const lineCount = Number(process.env['MILLWRIGHT_FUZZ_LINES'] ?? 300_000)

/** mulberry32: small, seeded, good enough to choose from lists. */
class Random {
  private state: number
  constructor(state: number) {
    this.state = state
  }
  /** In [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  below(bound: number): number {
    return Math.floor(this.next() * bound)
  }
  chance(probability: number): boolean {
    return this.next() < probability
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T
  }
  digits(count: number): string {
    let text = ''
    for (let i = 0; i < count; i++) text += this.below(10)
    return text
  }
  /** Any finite float64, all bit patterns alike. */
  float64(): number {
    const view = new DataView(new ArrayBuffer(8))
    view.setUint32(0, this.below(2 ** 32))
    view.setUint32(4, this.below(2 ** 32))
    const value = view.getFloat64(0)
    return Number.isFinite(value) ? value : 1.5
  }
}

type Maker = (random: Random) => string

const always = (...texts: readonly string[]): Maker[] => texts.map((text) => () => text)

const numbers: readonly Maker[] = [
  (r) => r.float64().toString(),
  (r) => (r.next() * 100).toString(),
  (r) => ((r.next() - 0.5) * 10 ** r.below(40)).toString(),
  (r) => (r.next() * 10 ** -r.below(40)).toString(),
  (r) => r.digits(1 + r.below(25)),
  (r) => `${r.digits(1 + r.below(20))}.${r.digits(1 + r.below(25))}`,
  (r) => `-${1 + r.below(9)}${r.digits(r.below(18))}.${r.digits(1 + r.below(18))}`,
  (r) => `0.${'0'.repeat(r.below(12))}${r.digits(1 + r.below(20))}`,
  (r) => `${1 + r.below(9)}.${r.digits(1 + r.below(17))}${r.pick(['e', 'E'])}${r.pick(['', '+', '-'])}${r.below(80)}`,
  (r) => `${1 + r.below(999)}E${r.pick(['', '+', '-'])}${r.below(400)}`,
  // Half way between two float64, and one digit to either side.
  (r) => `${2 ** 53 + 2 * r.below(1e9)}`.replace(/.$/, (d) => String((Number(d) + 1) % 10)),
  (r) =>
    r.pick(['9007199254740992', '9007199254740993', '9007199254740991', '9007199254740993.0', '9007199254740993.1']),
  ...always('0', '-0', '-0.0', '0e5', '-0e-3', '0.0', '5e-324', '2.2250738585072011e-308', '1e-400', '1e400', '-1e400'),
  ...always('1e999', '-1e999', '1.00000000000000011102230246251565', '123456789012345', '1234567890123456', '8.5e15'),
  ...always('12345678901234.5', '123456789012345.6', '99999999999999999999.9', '17179869184.000001', '0.1', '0.3'),
  ...always(
    '1e22',
    '1e23',
    '1e-22',
    '1e-23',
    '1.7976931348623157e308',
    '1.7976931348623159e308',
    '100.0000000000000000',
  ),
]

const notNumbers: readonly Maker[] = [
  ...always(
    '01',
    '-01',
    '00.5',
    '1.',
    '.5',
    '-',
    '--1',
    '+1',
    '1.e5',
    '1e',
    '1e+',
    '0x10',
    'NaN',
    'Infinity',
    '-Infinity',
  ),
  ...always(
    'null',
    'null',
    'null',
    'true',
    'false',
    'nul',
    'nulll',
    '"12.5"',
    '""',
    '[1]',
    '{}',
    '[]',
    '{"a":[1,"}"]}',
    '1_0',
  ),
  ...always('1.5f', '١', '1 2', '', '"\\u0031"', 'undefined', '1,2', "'1'"),
]

const times: readonly Maker[] = [
  (r) => String(1_699_999_800_000 + r.below(1e9)),
  (r) => `${1_699_999_800_000 + r.below(1e9)}.${r.digits(1 + r.below(9))}`,
  (r) => String(1_766_000_000 + r.below(1e6)),
  (r) => String(r.below(1e13)),
  (r) => String(7_289_654_400_000 - 2 + r.below(4)),
  (r) => String(7_289_654_400 - 2 + r.below(4)),
  (r) => String(r.pick([-1, 0, 1, 946_684_799, 946_684_800, 1.7e15, 1.7e18, 1e308])),
  (r) => `${r.pick(['7289654399', '946684799', '-0', '0'])}.${r.digits(3)}`,
  ...always('1.7e12', '17e11', '-0', 'null', '"1700000000000"', 'true', '[]', '""', '1e999'),
]

const isoTime: Maker = (r) => {
  const two = (bound: number): string => String(r.chance(0.03) ? r.below(100) : r.below(bound)).padStart(2, '0')
  const year = String(r.chance(0.8) ? 2000 + r.below(40) : r.below(10_000)).padStart(4, '0')
  const date = `${year}-${two(13)}-${two(32)}`
  const seconds = r.chance(0.85)
    ? `:${two(60)}${r.chance(0.4) ? `${r.pick(['.', ',', '.'])}${r.digits(r.below(12))}` : ''}`
    : ''
  const zone = r.pick([
    'Z',
    'Z',
    'z',
    `+${two(15)}:${two(60)}`,
    `-${two(12)}${two(60)}`,
    `+${two(24)}`,
    '',
    '-00:00',
    '+5:00',
    ' Z',
  ])
  const text = `"${date}${r.chance(0.9) ? 'T' : r.pick(['t', ' ', '_', ''])}${two(24)}:${two(60)}${seconds}${zone}"`
  return r.chance(0.02) ? text.replace('-', '\\u002d') : text
}

const ids: readonly Maker[] = [
  (r) => `m-${r.digits(4)}`,
  (r) => `plant-3/line-${r.digits(1)}/press-${r.digits(2)}`,
  (r) => `${'x'.repeat(13 + r.below(5))}${r.pick(['', 'y'])}`,
  (r) => r.digits(1 + r.below(45)),
  (r) => `é${r.below(20)}`,
  (r) => `设备-${r.below(20)}`,
  (r) => `😀${r.below(9)}`,
  (r) => `${'é'.repeat(r.below(40))}${r.below(3)}`,
  (r) => `long${'é'.repeat(120 + r.below(10))}`,
  (r) => 'i'.repeat(254 + r.below(4)),
  (r) => `m\\u002d0${r.digits(3)}`,
  (r) => `\\ud83d\\ude00${r.below(9)}`,
  (r) => `\\u${r.pick(['0001', '00C4', '00fc', '007F', '009f', '2126', 'FFFD', 'd7FF', 'E000'])}${r.digits(1)}`,
  (r) => `${r.pick(['x', ''])}\\${r.pick([...'"/\\bfnrt'])}${r.digits(1)}`,
  (r) => `${'\\u00e9'.repeat(126 + r.below(4))}`,
  (r) => `\\uD83${r.pick(['c', 'D', 'e'])}\\uDE0${r.pick(['0', 'a', 'F'])}`,
  ...always(
    '',
    'a',
    'a\\"b',
    'a\\\\',
    'tab\\t',
    'raw\ttab',
    'del\u007f',
    'c1\u0085',
    '\u00a0',
    '\u2028',
    '\ufffd',
    'sp ace',
    '\\x',
  ),
  ...always(
    '\\ud800',
    '\\udc00',
    '\\ud800x',
    'nul\\u0000',
    '__proto__',
    'constructor',
    '\\/slash',
    'bell\u0007',
    '\\ud83d\\ud83d\\ude00',
  ),
]

const otherMembers: readonly Maker[] = [
  (r) => `"seq":${r.below(1e6)}`,
  (r) => `"note":"${'q'.repeat(r.below(80))}"`,
  (r) => `"deep":${'['.repeat(r.below(80))}${']'.repeat(r.below(80))}`,
  (r) => {
    const depth = 62 + r.below(5)
    const objects = r.below(depth)
    return `"nest":${'{"a":'.repeat(objects)}${'['.repeat(depth - objects)}1${']'.repeat(depth - objects)}${'}'.repeat(objects)}`
  },
  (r) => `"list":[${Array.from({ length: r.below(9) }, () => r.pick(numbers)(r)).join(', ')}]`,
  (r) => `"number":${r.pick(numbers)(r)}`,
  (r) => `"bad":${r.pick(notNumbers)(r)}`,
  (r) => `"deviceId":"${r.pick(ids)(r)}"`,
  (r) => `"timestamp":${r.pick(times)(r)}`,
  (r) => `"temperature":${r.pick(notNumbers)(r)}`,
  (r) => `"temperature":${r.pick(numbers)(r)}`,
  (r) => `"${'k'.repeat(r.below(70))}":1`,
  ...always(
    '"unit":"°C"',
    '"s":"a\\nb"',
    '"s":"\\x"',
    '"s":"\\u12"',
    '"s":"\\ud800"',
    '"n":null',
    '"t":true',
    '"f":false',
    '"n":tru',
  ),
  ...always(
    '"o":{"temperature":5}',
    '"a":[1,2,{"x":"]"}]',
    '"a":[1,]',
    '"a":{"b"}',
    '"a":[1 2]',
    '"a":{,}',
    '"é":"ü"',
    '"":1',
  ),
  ...always(
    '"temper\\u0061ture":7',
    '"\\u0064eviceId":"x"',
    '"temperatur":1',
    '"temperature ":1',
    '"__proto__":{"pressure":4}',
  ),
  ...always(
    '"__proto__":5',
    '"toString":1',
    '"hasOwnProperty":"x"',
    '"vibration":null',
    '"k":"\u0001"',
    '"k":-',
    '"e":{}',
    '"e":[ ]',
  ),
]

const encoder = new TextEncoder()

/** What is put in or in place of a byte: JSON's own characters, and UTF-8 at the edges of what is well-formed. */
const interestingBytes: readonly (readonly number[])[] = [
  ...[...encoder.encode('"\\{}[],:0123456789.eE+-  \t\r\nabu/ntZ')].map((byte) => [byte]),
  ...[0x00, 0x1f, 0x7f, 0x80, 0xbf, 0xc0, 0xc2, 0xc3, 0xe0, 0xe2, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff].map((byte) => [
    byte,
  ]),
  ...[
    [0xc1, 0xbf],
    [0xc2, 0x80],
    [0xc2, 0x9f],
    [0xc2, 0xa0],
    [0xdf, 0xbf],
    [0xe0, 0x9f, 0xbf],
    [0xe0, 0xa0, 0x80],
  ],
  ...[
    [0xed, 0x9f, 0xbf],
    [0xed, 0xa0, 0x80],
    [0xee, 0x80, 0x80],
    [0xef, 0xbb, 0xbf],
    [0xef, 0xbf, 0xbf],
  ],
  ...[
    [0xf0, 0x8f, 0xbf, 0xbf],
    [0xf0, 0x90, 0x80, 0x80],
    [0xf4, 0x8f, 0xbf, 0xbf],
    [0xf4, 0x90, 0x80, 0x80],
  ],
]

const plainLine: Maker = (r) =>
  `{"deviceId":"m-${r.digits(3)}","timestamp":${1_699_999_800_000 + r.below(1e9)},"temperature":${(r.next() * 100).toFixed(4)},"vibration":${(r.next() * 2).toFixed(5)},"pressure":${(r.next() * 20).toFixed(4)}}`

const otherPlainLines: readonly Maker[] = [
  (r) =>
    `{"timestamp": "2024-0${1 + r.below(9)}-1${r.below(10)}T0${r.below(10)}:00:00Z", "temperature": ${r.below(99)}, "deviceId": "m-${r.digits(2)}"}`,
  (r) =>
    `{"ok":${r.chance(0.5)},"deviceId":"station/${r.digits(12)}/a","vibration":${r.chance(0.5) ? 'null' : r.next()},"pressure":null,"timestamp":17e11}`,
  (r) =>
    `{"temperature":1,"temperature":2,"deviceId":"m-1","timestamp":${1.7e12 + r.below(9)},"meta":{"a":[1,{"b":"${r.digits(3)}"}]}}`,
]

function mixedLine(r: Random): string {
  const space = r.chance(0.15)
    ? (): string => (r.chance(0.3) ? r.pick([' ', '\t', '\r', '  ', ' ', '\u00a0', '\u000b']) : '')
    : (): string => ''
  const channel = (name: string): string =>
    `"${name}":${r.chance(0.6) ? (r.next() * 100).toFixed(r.below(7)) : r.pick(r.chance(0.9) ? numbers : notNumbers)(r)}`
  const time = r.chance(0.7) ? String(1_699_999_800_000 + r.below(1e9)) : r.chance(0.5) ? isoTime(r) : r.pick(times)(r)
  const members = [
    `"deviceId":${r.chance(0.97) ? `"${r.chance(0.6) ? `m-${r.digits(3)}` : r.pick(ids)(r)}"` : r.pick(notNumbers)(r)}`,
    `"timestamp":${time}`,
    ...['temperature', 'vibration', 'pressure'].filter(() => r.chance(0.95)).map(channel),
  ]
  for (let extra = r.chance(0.3) ? 1 + r.below(3) : 0; extra > 0; extra--)
    members.splice(r.below(members.length + 1), 0, r.pick(otherMembers)(r))
  if (r.chance(0.04)) members.splice(r.below(members.length), 1)
  if (r.chance(0.15)) members.reverse()
  const inside = members.map((m) => `${space()}${m.replace(':', `${space()}:${space()}`)}${space()}`).join(',')
  let line = `${space()}{${inside}}${space()}`
  if (r.chance(0.02)) line += r.pick([',', '}', '{}', '\r', ' x', '//', '\u0000'])
  if (r.chance(0.01)) line = `[${line}]`
  if (r.chance(0.01)) line = `\ufeff${line}`
  if (r.chance(0.01))
    line = r.pick(['', ' ', '\t \r', '\ufeff', '1', '"x"', 'null', '[]', '{}', '{ }', '\u00a0', 'deviceId,timestamp'])
  return line
}

function randomLine(r: Random): Uint8Array {
  const kind = r.next()
  const text = kind < 0.25 ? plainLine(r) : kind < 0.35 ? r.pick(otherPlainLines)(r) : mixedLine(r)
  const bytes = [...encoder.encode(text)]
  if (r.chance(0.18)) {
    for (let change = 1 + r.below(3); change > 0; change--) {
      const at = r.below(bytes.length + 1)
      const what = r.below(3)
      bytes.splice(at, what === 0 ? 0 : 1, ...(what === 1 ? [] : r.pick(interestingBytes)))
    }
  }
  if (r.chance(0.04)) bytes.length = r.below(bytes.length + 1)
  bytes.push(...(r.chance(0.1) ? [0x0d, 0x0a] : [0x0a]))
  return Uint8Array.from(bytes)
}

function randomLines(r: Random, count: number): Uint8Array {
  const lines = Array.from({ length: count }, () => randomLine(r))
  const bytes = Buffer.concat(lines)
  return r.chance(0.3) ? bytes.subarray(0, bytes.length - 1) : bytes
}

/** Cuts after newlines, into pieces of random size. */
function cut(bytes: Uint8Array, r: Random): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let start = 0
  while (start < bytes.length) {
    const newline = bytes.indexOf(0x0a, start + r.below(r.chance(0.5) ? 300 : 30_000))
    const end = newline < 0 ? bytes.length : newline + 1
    pieces.push(bytes.subarray(start, end))
    start = end
  }
  return pieces
}

function expectSameRows(found: readonly DecodedRow[], wanted: readonly DecodedRow[], where: string): void {
  for (let i = 0; i < Math.max(found.length, wanted.length); i++) {
    const [a, b] = [found[i], wanted[i]]
    const what = a === undefined || b === undefined ? 'one has more rows' : difference(a, b)
    if (what !== null)
      expect.fail(`${where}, line ${JSON.stringify((a ?? b)?.line)}: kernel and plain differ in ${what}`)
  }
}

const plans = [
  { channels: ['temperature', 'vibration', 'pressure'], timestamp: 'event', devicesMax: 1_000_000 },
  { channels: ['temperature', 'vibration', 'pressure'], timestamp: 'event', devicesMax: 60 },
  { channels: ['temperature', 'pressure'], timestamp: 'arrival', devicesMax: 5000 },
  {
    channels: ['__proto__', 'constructor', 'é', 'temperature', 'k'.repeat(64)],
    timestamp: 'event',
    devicesMax: 1_000_000,
  },
  {
    channels: [...Array.from({ length: 126 }, (_, i) => `channel-${i}`), 'temperature', 'pressure'],
    timestamp: 'event',
    devicesMax: 1_000_000,
  },
] as const

// CPU time is about ten seconds; the limit is for a machine that has much else to do.
test(
  'every row of the kernel decoder equals that of the plain decoder, on random lines cut anywhere (B1, B2)',
  { timeout: 300_000 },
  () => {
    const r = new Random(seed)
    const pairs = plans.map((options) => ({
      options,
      kernel: createReadingDecoder(options),
      plain: createPlainReadingDecoder(options),
    }))
    const reasons = new Map<string, number>()
    const linesPerRound = 500
    for (let round = 0; round * linesPerRound < lineCount; round++) {
      const { options, kernel, plain } = pairs[
        round % 4 === 3 ? 1 + r.below(pairs.length - 1) : 0
      ] as (typeof pairs)[number]
      const bytes = randomLines(r, linesPerRound)
      const wanted = decodeRows(plain, bytes)
      const found: DecodedRow[] = []
      const collect = (batch: Parameters<Parameters<typeof kernel.decode>[1]>[0]): void => {
        found.push(...rowsOf(batch, kernel))
      }
      if (round % 3 === 0) {
        // The room keeps what earlier input left behind these lines: it must have no effect (K1, K2 of the kernel).
        kernel.input(bytes.length + 1000).set(bytes)
        kernel.decodeInput(bytes.length, collect)
      } else {
        for (const piece of round % 3 === 1 ? [bytes] : cut(bytes, r)) kernel.decode(piece, collect)
      }
      expectSameRows(
        found,
        wanted,
        `seed ${seed}, round ${round}, ${options.channels.length} channels, ${options.timestamp}`,
      )
      expect(kernel.deviceCount).toBe(plain.deviceCount)
      for (const row of wanted) reasons.set(row.what, (reasons.get(row.what) ?? 0) + 1)
      if (r.chance(0.3)) {
        const readings = wanted.filter((row) => row.what === 'reading' && r.chance(0.2))
        for (const id of new Set(readings.map((row) => row.deviceId as string)))
          for (const decoder of [kernel, plain]) decoder.forget(Int32Array.of(decoder.deviceIndex(id)))
      }
    }
    // The lines reach every outcome; the longest line is too rare to wait for here.
    for (const what of ['reading', 'blank', 'not-json', 'not-utf8', 'not-an-object', 'too-deep', 'device-id-missing'])
      expect(reasons.get(what), what).toBeGreaterThan(20)
    for (const what of [
      'device-id-not-a-string',
      'device-id-empty',
      'device-id-too-long',
      'device-id-control-character',
    ])
      expect(reasons.get(what), what).toBeGreaterThan(20)
    for (const what of [
      'timestamp-missing',
      'timestamp-not-a-time',
      'timestamp-out-of-range',
      'timestamp-looks-like-seconds',
    ])
      expect(reasons.get(what), what).toBeGreaterThan(20)
    for (const what of ['channel-not-a-number', 'channel-not-finite', 'no-channel', 'devices-max'])
      expect(reasons.get(what), what).toBeGreaterThan(20)
    expect((reasons.get('reading') ?? 0) / lineCount, 'most lines must be readings').toBeGreaterThan(0.3)
  },
)

test('any JSON value in any field gives the same row in both decoders', () => {
  const options = { channels: ['temperature', 'pressure'], timestamp: 'event', devicesMax: 1_000_000 } as const
  const kernel = createReadingDecoder(options)
  const plain = createPlainReadingDecoder(options)
  const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.constant(-0))
  const anything = fc.jsonValue({ maxDepth: 3 })
  const rarely = <T>(usual: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
    fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: anything })
  const reading = fc.record(
    {
      deviceId: rarely(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 })),
      timestamp: rarely(
        fc.oneof(
          fc.integer({ min: 0, max: 7.3e12 }),
          fc.date().map((date) => JSON.stringify(date).slice(1, -1)),
        ),
      ),
      temperature: rarely(number),
      pressure: rarely(number),
      other: anything,
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.array(reading, { maxLength: 8 }), fc.constantFrom(0, 1), (readings, indent) => {
      // One line each: white space between tokens, but no newline.
      const lines = readings.map((value) => JSON.stringify(value, null, indent).replaceAll('\n', ' '))
      const bytes = encoder.encode(lines.join('\n'))
      expectSameRows(decodeRows(kernel, bytes), decodeRows(plain, bytes), 'fast-check')
    }),
    { seed, numRuns: 3000 },
  )
})
