/**
 * The kernel by itself: which lines it decides, that its numbers are JSON.parse's, and its directory against a Map. Its oracle for whole lines
 * and every refusal is the plain decoder of `operators`, where the two are fuzzed against each other.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DecodeKernel, type DecodeKernelOptions } from './decode-kernel.ts'
import { widePowersOfTen } from './decode-tables.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

function kernelFor(channels: readonly string[], changes: Partial<DecodeKernelOptions> = {}): DecodeKernel {
  return new DecodeKernel({
    deviceIdName: utf8('deviceId'),
    timestampName: utf8('timestamp'),
    channelNames: channels.map(utf8),
    acceptedFromMs: 7_289_654_400,
    acceptedBeforeMs: 7_289_654_400_000,
    deviceIdBytesMax: 256,
    lineBytesMax: 1 << 20,
    nestingMax: 64,
    devicesMax: 1_000_000,
    ...changes,
  })
}

/** Puts the lines, each with a newline, into the input and decodes them once. */
function decode(kernel: DecodeKernel, lines: readonly string[]): number {
  const bytes = utf8(lines.map((line) => `${line}\n`).join(''))
  const input = kernel.input(bytes.length)
  input.set(bytes)
  return kernel.decodeLines(input.byteOffset, input.byteOffset + bytes.length)
}

const members = '"timestamp":1766000000000,"temperature":61.2,"vibration":2.31'

test.each([
  ['the reference reading', `{"deviceId":"press-07",${members}}`],
  ['any white space', ` { "deviceId" : "press-07" ,\t${members} }\t \r`],
  ['keys in another order', '{"vibration":1,"temperature":2,"timestamp":1766000000000,"deviceId":"press-07"}'],
  ['a null', '{"deviceId":"press-07","timestamp":1766000000000,"temperature":null,"vibration":-0}'],
  ['an absent channel', '{"deviceId":"press-07","timestamp":1766000000000,"vibration":2}'],
  ['ISO 8601 in UTC', '{"deviceId":"press-07","timestamp":"2015-01-05T00:00:00Z","temperature":1}'],
  [
    'ISO 8601 with fraction and offset',
    '{"deviceId":"press-07","timestamp":"2015-01-05 01:00:00.123456+01:00","temperature":1}',
  ],
  ['a fractional timestamp', '{"deviceId":"press-07","timestamp":1766000000000.75,"temperature":1}'],
  ['17 digits', '{"deviceId":"press-07","timestamp":1766000000000,"temperature":20.396266666666666}'],
  ['an exponent', '{"deviceId":"press-07","timestamp":1.766e12,"temperature":-1.5E-7}'],
  ['an id of 256 bytes', `{"deviceId":"${'x'.repeat(256)}",${members}}`],
  ['an id beyond ASCII', `{"deviceId":"förderband-1-süd/设备",${members}}`],
  ['an id with escapes', `{"deviceId":"f\\u00f6rder\\/1 \\ud83d\\ude00",${members}}`],
  ['unknown fields of every kind', `{"deviceId":"a","u":"°C\\n","t":true,"f":false,"z":null,"n":-1.5e+300,${members}}`],
  ['nested unknown fields', `{"deviceId":"a","o":{"temperature":[1,{"x":"]"},[]]},"e":{},${members},"l":[ ]}`],
  ['64 nested lists', `{"deviceId":"a","l":${'['.repeat(64)}${']'.repeat(64)},${members}}`],
  ['a key of 300 bytes', `{"deviceId":"a","${'k'.repeat(300)}":1,${members}}`],
  [
    'more fields than a template holds',
    `{"deviceId":"a",${Array.from({ length: 400 }, (_, k) => `"f${k}":${k},`).join('')}${members}}`,
  ],
  ['a blank line', ' \t\r'],
])('the kernel decides %s by itself, at first sight and by a template (T1, T2)', (_, line) => {
  const kernel = kernelFor(['temperature', 'vibration'])
  expect(decode(kernel, [line, line, line])).toBe(3)
  expect([...kernel.undecidedRows]).toEqual([])
})

test.each([
  ['no JSON', '{'],
  ['no device id', '{"timestamp":1766000000000,"temperature":1}'],
  ['no timestamp', '{"deviceId":"a","temperature":1}'],
  ['no channel', '{"deviceId":"a","timestamp":1766000000000}'],
  ['only nulls', '{"deviceId":"a","timestamp":1766000000000,"temperature":null}'],
  ['a timestamp in seconds', '{"deviceId":"a","timestamp":1766000000,"temperature":1}'],
  ['a time without a zone', '{"deviceId":"a","timestamp":"2015-01-05T00:00:00","temperature":1}'],
  ['a declared field twice', '{"deviceId":"a","timestamp":1766000000000,"temperature":1,"temperature":2}'],
  ['a key with an escape', '{"deviceId":"a","timestamp":1766000000000,"temper\\u0061ture":1}'],
  ['a number that is not finite', '{"deviceId":"a","timestamp":1766000000000,"temperature":1e999}'],
  ['20 digits', '{"deviceId":"a","timestamp":1766000000000,"temperature":12345678901234567890}'],
  ['half of a surrogate pair', `{"deviceId":"\\ud800",${members}}`],
  ['an id of 257 bytes', `{"deviceId":"${'x'.repeat(257)}",${members}}`],
  ['a C1 control character', `{"deviceId":"a-longer-device-id\u0085",${members}}`],
  ['65 nested lists', `{"deviceId":"a","l":${'['.repeat(65)}${']'.repeat(65)},${members}}`],
  ['a line too long', `{"deviceId":"a",${members}${' '.repeat(1 << 20)}}`],
])('the kernel leaves %s undecided, and goes on with the next line (K3, K4)', (_, line) => {
  const kernel = kernelFor(['temperature', 'vibration'])
  const good = `{"deviceId":"b",${members}}`
  expect(decode(kernel, [good, line, good])).toBe(3)
  expect([...kernel.undecidedRows]).toEqual([1])
  expect([...kernel.columns.device.subarray(0, 3)]).toEqual([0, -1, 0])
  expect(kernel.devices.count).toBe(1)
})

test('text is accepted exactly where it is well-formed UTF-8, at every edge of table 3-7 of the Unicode Standard', () => {
  const kernel = kernelFor(['temperature'])
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const wellFormed = (bytes: Uint8Array): boolean => {
    try {
      decoder.decode(bytes)
      return true
    } catch {
      return false
    }
  }
  const [before, after] = [utf8(`{${members},"deviceId":"a","u":"`), utf8('"}\n')]
  for (let first = 0x80; first <= 0xff; first++) {
    for (const second of [0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0]) {
      for (const rest of [[], [0x80], [0xbf, 0x80], [0x80, 0xc2], [0x7f, 0x80], [0x80, 0xbf, 0x80]]) {
        const text = Uint8Array.of(first, second, ...rest)
        const line = [...before, ...text, ...after]
        const input = kernel.input(line.length)
        input.set(line)
        expect(kernel.decodeLines(input.byteOffset, input.byteOffset + line.length)).toBe(1)
        expect(kernel.undecidedRows.length === 0, `${text}`).toBe(wellFormed(text))
      }
    }
  }
})

test('times in words are Date.parse’s on the last days of every month that is in range, and no day too many', () => {
  const kernel = kernelFor(['temperature'])
  for (let year = 1971; year <= 2200; year++) {
    const dates = Array.from({ length: 12 }, (_, month) => String(month + 1).padStart(2, '0')).flatMap((month) =>
      [1, 28, 29, 30, 31, 32].map((day) => `${year}-${month}-${String(day).padStart(2, '0')}`),
    )
    const texts = dates.map(
      (date, k) => `${date}T${k % 2 === 0 ? '00:00' : '23:59:59.999'}${k % 3 === 0 ? 'Z' : '+00:00'}`,
    )
    decode(
      kernel,
      texts.map((text) => `{"deviceId":"a","timestamp":"${text}","temperature":1}`),
    )
    const undecided = new Set(kernel.undecidedRows)
    dates.forEach((date, row) => {
      // Date.parse takes 31 April for 1 May; a date that exists comes back as it was.
      const exists = !date.endsWith('32') && new Date(`${date}T00:00Z`).toISOString().startsWith(date)
      expect(undecided.has(row), date).toBe(!exists)
      if (exists) expect(kernel.columns.timestampMs[row]).toBe(Date.parse(texts[row] as string))
    })
  }
})

test('numbers of any finite float64 in any notation are JSON.parse’s, to the bit', () => {
  const digits = fc.stringMatching(/^(?:0|[1-9]\d{0,17})(?:\.\d{1,22})?(?:[eE][+-]?\d{1,2})?$/)
  const written = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
    fc.double({ noNaN: true, min: -1e40, max: 1e40 }).map((value) => JSON.stringify(value)),
    fc.double({ noNaN: true, min: 0, max: 100 }).map((value) => JSON.stringify(value)),
    fc.double({ noNaN: true, min: -1e6, max: 1e6 }).chain((value) => fc.nat({ max: 20 }).map((n) => value.toFixed(n))),
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .chain((value) => fc.nat({ max: 18 }).map((n) => value.toExponential(n))),
    // Half way between two neighbours, where rounding is hardest: 2^53 … 2^54 in steps of one.
    fc.bigInt({ min: 1n << 53n, max: 1n << 54n }).map(String),
    digits,
  )
  const kernel = kernelFor(['temperature'])
  let decided = 0
  fc.assert(
    fc.property(fc.array(written, { minLength: 30, maxLength: 60 }), (texts) => {
      const lines = texts.map((text) => `{"deviceId":"a","timestamp":1766000000000,"temperature":${text}}`)
      decode(kernel, lines)
      const undecided = new Set(kernel.undecidedRows)
      const values = kernel.columns.channels[0] as Float64Array
      texts.forEach((text, row) => {
        if (undecided.has(row)) return
        decided += 1
        expect(Object.is(values[row], JSON.parse(text)), `${text} became ${values[row]}`).toBe(true)
      })
    }),
    { seed: 1, numRuns: 1000 },
  )
  expect(decided).toBeGreaterThan(20_000)
})

test('the powers of ten are the first 128 bits of their exact values', () => {
  const words = widePowersOfTen(60)
  const power = (exponent: number): bigint =>
    ((words[(exponent + 60) * 2 + 1] as bigint) << 64n) | (words[(exponent + 60) * 2] as bigint)
  expect(power(0)).toBe(1n << 127n)
  expect(power(1)).toBe(10n << 124n)
  for (let exponent = -60; exponent <= 60; exponent++) {
    const bits = power(exponent)
    expect(bits >> 127n).toBe(1n)
    // bits <= 10^exponent × 2^shift < bits + 1, in whole numbers.
    const shift = 127n - BigInt(Math.floor(exponent * Math.log2(10)))
    const [numerator, denominator] = exponent >= 0 ? [10n ** BigInt(exponent), 1n] : [1n, 10n ** BigInt(-exponent)]
    const scaled = shift >= 0n ? numerator << shift : numerator
    const divisor = shift >= 0n ? denominator : denominator << -shift
    expect(bits * divisor <= scaled && scaled < (bits + 1n) * divisor, `10^${exponent}`).toBe(true)
  }
})

test('the directory answers as a Map does, while it grows, forgets and is asked in any order (D1–D5, R1, R2)', () => {
  // Few different ids, so that they come again; short, just short, just long, long.
  const id = fc
    .tuple(fc.nat({ max: 400 }), fc.constantFrom(1, 14, 15, 16, 17, 33, 256))
    .map(([k, length]) => String(k).padStart(length, '-'))
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ lines: fc.array(id, { maxLength: 300, size: 'max' }) }) },
    { weight: 3, arbitrary: fc.record({ add: id }) },
    { weight: 3, arbitrary: fc.record({ forget: fc.array(fc.nat(), { maxLength: 80, size: 'max' }) }) },
  )
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40, size: 'max' }),
      fc.constantFrom(150, 5000, 1_000_000),
      (steps, devicesMax) => {
        const kernel = kernelFor(['temperature'], { devicesMax })
        const model = new Map<string, number>()
        const see = (text: string, index: number): void => {
          const known = model.get(text)
          if (known !== undefined) expect(index).toBe(known)
          else if (index < 0) return
          else expect([...model.values()]).not.toContain(index)
          model.set(text, index)
        }
        for (const now of steps) {
          if ('lines' in now) {
            decode(
              kernel,
              now.lines.map((text) => `{"deviceId":"${text}","timestamp":1766000000000,"temperature":1}`),
            )
            now.lines.forEach((text, row) => {
              see(text, kernel.columns.device[row] as number)
            })
          } else if ('add' in now) {
            const index = kernel.devices.indexOf(utf8(now.add))
            expect(index >= 0 || (model.size === devicesMax && !model.has(now.add))).toBe(true)
            see(now.add, index)
          } else {
            for (const choice of now.forget) {
              const [text, index] = [...model][choice % Math.max(1, model.size)] ?? ['', -1]
              expect(kernel.devices.remove(index)).toBe(index >= 0)
              model.delete(text)
            }
          }
          expect(kernel.devices.count).toBe(model.size)
          for (const [text, index] of model) expect(new TextDecoder().decode(kernel.devices.id(index))).toBe(text)
        }
        expect(Math.max(-1, ...model.values())).toBeLessThan(Math.min(devicesMax, 4096))
      },
    ),
    { seed: 1, numRuns: 12 },
  )
})

test('long ids of forgotten devices leave no room taken behind them', () => {
  const kernel = kernelFor(['temperature'])
  const id = (k: number): Uint8Array => utf8(`${k}`.padStart(200, 'x'))
  const bytesAfter: number[] = []
  for (let generation = 0; generation < 200; generation++) {
    const indices = Array.from({ length: 100 }, (_, k) => kernel.devices.indexOf(id(generation * 100 + k)))
    for (const index of indices) expect(kernel.devices.remove(index)).toBe(true)
    bytesAfter.push(kernel.memory.memory.buffer.byteLength)
  }
  // 20,000 ids of 200 bytes came and went: 4 MB had they stayed.
  expect(Math.max(...bytesAfter)).toBeLessThan(1_000_000)
})

test('a million devices reserve about 50 bytes each, what the directory left behind as it grew included', () => {
  const kernel = kernelFor(['temperature'])
  const before = kernel.memory.memory.buffer.byteLength
  for (let k = 0; k < 1_000_000; k++) kernel.devices.indexOf(utf8(`machine-${k}`))
  expect(kernel.devices.count).toBe(1_000_000)
  const bytesPerDevice = (kernel.memory.memory.buffer.byteLength - before) / 1_000_000
  expect(bytesPerDevice).toBeLessThan(55)
  expect(kernel.devices.indexOf(utf8('machine-0'))).toBe(0)
  expect(kernel.devices.indexOf(utf8('machine-999999'))).toBe(999_999)
})

test('what lies in the first page is left to other kernels over the same memory', () => {
  const kernel = kernelFor(['temperature'])
  decode(kernel, [`{"deviceId":"a",${members}}`])
  expect(new Uint8Array(kernel.memory.memory.buffer, 0, 65_536).every((byte) => byte === 0)).toBe(true)
})

test('columns stay at their addresses when the memory grows', () => {
  const kernel = kernelFor(['temperature', 'vibration'])
  const { addresses } = kernel
  decode(kernel, [`{"deviceId":"a",${members}}`])
  kernel.input(5_000_000)
  const { buffer } = kernel.memory.memory
  expect(new Int32Array(buffer, addresses.device, 1)[0]).toBe(0)
  expect(new Float64Array(buffer, addresses.timestampMs, 1)[0]).toBe(1_766_000_000_000)
  expect(new Float64Array(buffer, addresses.channels + addresses.channelStride, 1)[0]).toBe(2.31)
})

test('more channels than there are columns are refused', () => {
  const channels = (count: number): string[] => Array.from({ length: count }, (_, k) => `channel-${k}`)
  expect(() => kernelFor(channels(128))).not.toThrow()
  expect(() => kernelFor(channels(129))).toThrow(RangeError)
})
