/**
 * The contract of `ReadingDecoder`, run on both decoders; what a line means is tested in `decode-with-json-parse.test.ts`, that the two
 * agree in `reading-decoder.fuzz.test.ts`.
 */
import { spawnSync } from 'node:child_process'
import { InvariantError, limits, type ReadingDecoder } from '@millwright/core'
import { describe, expect, test } from 'vitest'
import { decodeRows, rowsOf } from './decode-testing.ts'
import type { ReadingDecoderOptions } from './decoder-options.ts'
import { createPlainReadingDecoder } from './plain-reading-decoder.ts'
import { createReadingDecoder } from './reading-decoder.ts'

const options = { channels: ['temperature', 'pressure'], timestamp: 'event', devicesMax: 100_000 } as const

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const line = (id: string, temperature: number | string = 1): string =>
  `{"deviceId":"${id}","timestamp":1766000000000,"temperature":${temperature}}`

describe.each([
  ['createReadingDecoder()', createReadingDecoder],
  ['createPlainReadingDecoder()', createPlainReadingDecoder],
] as const)('%s', (_, create: (options: ReadingDecoderOptions) => ReadingDecoder) => {
  test('gives each line a row, in order, with its own bytes, whatever it is (B1)', () => {
    const text = `${line('a')}\r\n\n  \r\n${line('b')} \n{"deviceId":"c"}\n${line('a')}\r`
    const rows = decodeRows(create(options), utf8(text))
    expect(rows.map((row) => [row.line, row.what, row.deviceId])).toEqual([
      [line('a'), 'reading', 'a'],
      ['', 'blank', null],
      ['  ', 'blank', null],
      [`${line('b')} `, 'reading', 'b'],
      ['{"deviceId":"c"}', 'timestamp-missing', 'c'],
      [line('a'), 'reading', 'a'],
    ])
  })

  test('calls onBatch for no bytes not at all, and for many lines with at most batchRowsMax rows each', () => {
    const decoder = create(options)
    const rowCounts: number[] = []
    decoder.decode(new Uint8Array(0), (batch) => rowCounts.push(batch.rowCount))
    expect(rowCounts).toEqual([])
    decoder.decode(utf8(`${line('a')}\n`.repeat(10_000)), (batch) => rowCounts.push(batch.rowCount))
    expect(Math.max(...rowCounts)).toBeLessThanOrEqual(limits.batchRowsMax)
    expect(rowCounts.reduce((sum, count) => sum + count, 0)).toBe(10_000)
  })

  test('a refused and a blank row have no values left from the rows before', () => {
    const decoder = create(options)
    decodeRows(decoder, utf8(`${line('a', 5)}\n`.repeat(4)))
    const rows = decodeRows(
      decoder,
      utf8(`${line('a', '1e999')}\n\n{"deviceId":"a","timestamp":1766000000000,"pressure":2}\n{`),
    )
    expect(rows.map((row) => row.values)).toEqual([
      [Number.NaN, Number.NaN],
      [Number.NaN, Number.NaN],
      [Number.NaN, 2],
      [Number.NaN, Number.NaN],
    ])
    expect(rows.map((row) => row.timestampMs)).toEqual([Number.NaN, Number.NaN, 1_766_000_000_000, Number.NaN])
  })

  test('a line longer than lineBytesMax is refused, whatever it holds, and those around it are not', () => {
    const padded = (length: number): string => line('a').replace('{', `{${' '.repeat(length - line('a').length)}`)
    const lines = [
      line('a'),
      padded(limits.lineBytesMax),
      padded(limits.lineBytesMax + 1),
      line('b'),
      padded(10_000_000),
    ]
    for (const ending of ['\n', '\r\n']) {
      const rows = decodeRows(create(options), utf8(lines.join(ending)))
      expect(rows.map((row) => row.what)).toEqual(['reading', 'reading', 'line-too-long', 'reading', 'line-too-long'])
      expect(rows.map((row) => row.line.length)).toEqual(lines.map((text) => text.length))
      expect(rows[4]?.message).toBe('line: found more than 1048576 bytes, wanted at most that')
    }
  })

  test('input() is room to read into; decodeInput() decodes its first bytes and leaves those after them', () => {
    const decoder = create(options)
    const lines = utf8(`${line('a')}\n${line('b')}`)
    const tail = utf8('{"deviceId":"not whole')
    const input = decoder.input(lines.length + tail.length)
    expect(input.length).toBe(lines.length + tail.length)
    input.set(lines)
    input.set(tail, lines.length)
    const ids: (string | null)[] = []
    decoder.decodeInput(lines.length, (batch) => ids.push(...rowsOf(batch, decoder).map((row) => row.deviceId)))
    expect(ids).toEqual(['a', 'b'])
    const larger = decoder.input(2_000_000)
    expect(larger.length).toBe(2_000_000)
    expect(larger.subarray(lines.length, lines.length + tail.length)).toEqual(tail)
  })

  test('gives devices dense indices, and those of forgotten ones to new ones', () => {
    const decoder = create(options)
    const long = (k: number): string => `${'plant/line/'.repeat(2)}${k}`
    decodeRows(decoder, utf8([0, 1, 2, 3].map((k) => `${line(`d-${k}`)}\n${line(long(k))}\n`).join('')))
    expect(decoder.deviceCount).toBe(8)
    const indexOf = new Map([...Array(8).keys()].map((index) => [decoder.deviceId(index), index]))
    expect([...indexOf.keys()].sort()).toEqual([0, 1, 2, 3].flatMap((k) => [`d-${k}`, long(k)]).sort())
    for (const [id, index] of indexOf) expect(decoder.deviceIndex(id)).toBe(index)

    const freed = ['d-1', long(2)].map((id) => indexOf.get(id) as number)
    decoder.forget(Int32Array.from(freed))
    expect(decoder.deviceCount).toBe(6)
    for (const index of freed) expect(() => decoder.deviceId(index)).toThrow(InvariantError)
    expect(() => decoder.forget(Int32Array.of(freed[0] as number))).toThrow(InvariantError)

    const given = [decoder.deviceIndex('new'), decoder.deviceIndex(long(2))]
    expect(given.sort()).toEqual(freed.sort())
    expect(decoder.deviceId(decoder.deviceIndex('new'))).toBe('new')
    expect(decoder.deviceIndex('newer')).toBe(8)
  })

  test('refuses a device beyond devicesMax, in the order of the lines, whichever way each is decided (B2)', () => {
    const decoder = create({ ...options, devicesMax: 3 })
    // The second is written so that only the slow path reads it; the third is refused and must take no place.
    const lines = [line('a'), line('b', '1e-200'), line('c', '"x"'), line('a'), line('d'), line('e'), line('b')]
    const rows = decodeRows(decoder, utf8(lines.join('\n')))
    expect(rows.map((row) => row.what)).toEqual([
      'reading',
      'reading',
      'channel-not-a-number',
      'reading',
      'reading',
      'devices-max',
      'reading',
    ])
    expect(rows[5]).toMatchObject({
      deviceId: 'e',
      message: 'deviceId: found text "e", one more than the 3 devices there may be, wanted one of the devices known',
    })
    expect(decoder.deviceIndex('e')).toBe(-1)
    decoder.forget(Int32Array.of(decoder.deviceIndex('a')))
    expect(decodeRows(decoder, utf8(line('e')))[0]?.what).toBe('reading')
    expect(decoder.deviceIndex('a')).toBe(-1)
  })

  test('the directory grows while lines come, and forgets while a batch is read', () => {
    const decoder = create(options)
    const id = (k: number): string => (k % 3 === 0 ? `d${k}` : k % 3 === 1 ? `a-longer-device-id-${k}` : `gerät-${k}`)
    const text = Array.from({ length: 12_000 }, (_, k) => line(id(k), k)).join('\n')
    let seen = 0
    decoder.decode(utf8(text), (batch) => {
      for (let row = 0; row < batch.rowCount; row++) {
        expect(decoder.deviceId(batch.device[row] as number)).toBe(id(seen))
        seen += 1
      }
    })
    expect(seen).toBe(12_000)
    expect(decoder.deviceCount).toBe(12_000)
    decoder.decode(utf8(text), (batch) => decoder.forget(batch.device.subarray(0, batch.rowCount)))
    expect(decoder.deviceCount).toBe(0)
    expect(decodeRows(decoder, utf8(text)).map((row) => row.deviceId)).toEqual(
      Array.from({ length: 12_000 }, (_, k) => id(k)),
    )
    expect(decoder.deviceCount).toBe(12_000)
  })

  test('deviceIndex() may be asked while a batch is read, for as many new ids as memory must grow for', () => {
    const decoder = create(options)
    const seen: string[] = []
    decoder.decode(utf8(`${line('a')}\n${line('b')}`), (batch) => {
      const devices = [...batch.device.subarray(0, batch.rowCount)]
      for (let k = 0; k < 20_000; k++) decoder.deviceIndex(`restored-${k}`)
      seen.push(...devices.map((device) => decoder.deviceId(device)))
    })
    expect(seen).toEqual(['a', 'b'])
    expect(decodeRows(decoder, utf8(line('restored-19999')))[0]?.what).toBe('reading')
    expect(decoder.deviceCount).toBe(20_002)
  })

  test('refuses options and ids that no plan and no line can hold', () => {
    for (const channels of [
      ['a', 'a'],
      ['deviceId'],
      ['timestamp'],
      ['\ud800'],
      Array.from({ length: 129 }, (_, k) => `c${k}`),
    ])
      expect(() => create({ ...options, channels })).toThrow(InvariantError)
    expect(() => create({ ...options, devicesMax: 0 })).toThrow(InvariantError)
    for (const id of ['', 'a\u0000', 'x'.repeat(257), '\udc00'])
      expect(() => create(options).deviceIndex(id)).toThrow(InvariantError)
    expect(() => create(options).deviceId(0)).toThrow(InvariantError)
  })
})

test('createReadingDecoder() refuses to be called from within onBatch, where the batch would be lost (B3)', () => {
  const decoder = createReadingDecoder(options)
  const inside = (act: () => void): void => decoder.decode(utf8(line('a')), act)
  expect(() => inside(() => decoder.decode(utf8(line('b')), () => undefined))).toThrow(InvariantError)
  expect(() => inside(() => decoder.input(10))).toThrow(InvariantError)
  // A handler that threw has not left it unusable.
  expect(decodeRows(decoder, utf8(line('c')))[0]?.deviceId).toBe('c')
})

test('createReadingDecoder() runs in a context that has nothing but the language and WebAssembly', () => {
  // The modules as they are, types stripped, linked into a bare context. The flag needs a process of its own.
  const script = `
    import { readFileSync } from 'node:fs'
    import { stripTypeScriptTypes } from 'node:module'
    import { dirname, join } from 'node:path'
    import vm from 'node:vm'
    const packages = ${JSON.stringify(new URL('../../..', import.meta.url).pathname)}
    const context = vm.createContext(Object.create(null))
    const modules = new Map()
    const load = (path) => {
      if (!modules.has(path)) {
        const source = stripTypeScriptTypes(readFileSync(path, 'utf8'))
        modules.set(path, new vm.SourceTextModule(source, { context, identifier: path }))
      }
      return modules.get(path)
    }
    const link = (specifier, from) => load(specifier.startsWith('@millwright/')
      ? join(packages, specifier.slice('@millwright/'.length), 'src/index.ts')
      : join(dirname(from.identifier), specifier))
    const module = load(join(packages, 'operators/src/decode/reading-decoder.ts'))
    await module.link(link)
    await module.evaluate()
    context.createReadingDecoder = module.namespace.createReadingDecoder
    console.log(vm.runInContext(\`
      const decoder = createReadingDecoder({ channels: ['temperature'], timestamp: 'event', devicesMax: 10 })
      const text = '{"deviceId":"bare","timestamp":"2025-12-17T19:33:20Z","temperature":61.2}\\\\n{"deviceId":"late","temperature":1}'
      const seen = []
      decoder.decode(Uint8Array.from(text, (c) => c.charCodeAt(0)), (batch) => seen.push(
        decoder.deviceId(batch.device[0]), batch.timestampMs[0], batch.channels[0][0], batch.refusals[0].reason))
      JSON.stringify([typeof process, typeof TextDecoder, typeof Buffer, typeof performance, ...seen])
    \`, context))
  `
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--experimental-vm-modules', '--no-warnings', '--input-type=module', '-e', script],
    {
      encoding: 'utf8',
    },
  )
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual([
    ...['undefined', 'undefined', 'undefined', 'undefined'],
    ...['bare', 1_766_000_000_000, 61.2, 'timestamp-missing'],
  ])
})
