import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { CsvFormat } from '@millwright/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readCsvLines } from './read-csv-lines.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-csv-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

let fileCount = 0
function fileOf(content: string | Uint8Array): string {
  const path = join(folder, `file-${fileCount++}.csv`)
  writeFileSync(path, content)
  return path
}

const format: CsvFormat = {
  delimiter: ',',
  decimal: '.',
  deviceId: { column: 'machine' },
  timestamp: { column: 'time', format: 'iso', timeZone: 'UTC' },
  channels: { temperature: 'temp', vibration: 'vib' },
}

async function read(content: string | Uint8Array, changes: Partial<CsvFormat> = {}, startPosition = 0) {
  const lines: string[] = []
  const positions: number[] = []
  for await (const chunk of readCsvLines(
    fileOf(content),
    { ...format, ...changes },
    { startPosition, chunkBytes: 50 },
  )) {
    const text = Buffer.from(chunk.bytes).toString()
    expect(text.endsWith('\n')).toBe(true)
    for (const [index, line] of text.slice(0, -1).split('\n').entries()) {
      lines.push(line)
      positions.push(chunk.positionAfter(index, Number.NaN))
    }
    expect(chunk.endPosition).toBeGreaterThanOrEqual(positions.at(-1) ?? 0)
  }
  return { lines, positions }
}

describe('readCsvLines()', () => {
  test('turns each row into one reading: numbers as they stand, empty and missing cells left out', async () => {
    const content = [
      'time,machine,temp,comment,vib',
      '2024-01-01 00:00:00,press-1,61.20,fine,2.310',
      '2024-01-01 00:00:01,press-1,,empty,NaN',
      '2024-01-01 00:00:02, press-2 , 1e3 ,"a, b",#N/A',
      '',
      '2024-01-01 00:00:03,"pr""ess é",5,"two',
      'lines",6',
    ].join('\r\n')
    for (const bytes of [
      Buffer.from(content),
      gzipSync(content),
      Buffer.from(`\ufeff${content}`),
      `\ufeff"time"${content.slice(4)}`,
    ])
      expect((await read(bytes)).lines).toEqual([
        '{"deviceId":"press-1","timestamp":1704067200000,"temperature":61.20,"vibration":2.310}',
        '{"deviceId":"press-1","timestamp":1704067201000}',
        '{"deviceId":"press-2","timestamp":1704067202000,"temperature":1e3}',
        '{"deviceId":"pr\\"ess é","timestamp":1704067203000,"temperature":5,"vibration":6}',
      ])
  })

  test('reads semicolons, decimal commas, local times and a fixed id, and passes over a separator line', async () => {
    const content = 'sep=;\r\nZeit;temp;vib\r\n01.07.2024 12:00;61,2;0,001\r\n01.07.2024 12:01;1.061,2;,5\r\n'
    const changes = {
      delimiter: ';',
      decimal: ',' as const,
      deviceId: { value: 'press-1' },
      timestamp: { column: 'Zeit', format: 'dd.MM.yyyy HH:mm', timeZone: 'Europe/Berlin' },
    }
    expect((await read(content, changes)).lines).toEqual([
      '{"deviceId":"press-1","timestamp":1719828000000,"temperature":61.2,"vibration":0.001}',
      '{"deviceId":"press-1","timestamp":1719828060000,"temperature":"1.061,2","vibration":0.5}',
    ])
  })

  test('keeps what is no number, no time or no row as a line that is refused with its own text', async () => {
    const content = [
      'time,machine,temp,vib',
      '2024-01-01,a,warm,1',
      'yesterday,a,1,1',
      ',a,1,1',
      '2024-01-01,,1,1',
      '2024-01-01,a,1',
      '2024-01-01,a,1,1,1',
      '2024-01-01,a,"1"2,1',
      ',,,',
      '2024-01-01,a,1,1',
    ].join('\n')
    expect((await read(content)).lines).toEqual([
      '{"deviceId":"a","timestamp":1704067200000,"temperature":"warm","vibration":1}',
      '{"deviceId":"a","timestamp":"yesterday (not a time in the format iso, UTC)","temperature":1,"vibration":1}',
      '{"deviceId":"a","temperature":1,"vibration":1}',
      '{"deviceId":"","timestamp":1704067200000,"temperature":1,"vibration":1}',
      '["the row has 3 cells, the header 4","2024-01-01,a,1"]',
      '["the row has 5 cells, the header 4","2024-01-01,a,1,1,1"]',
      '["a quote is not closed, or stands where none may","2024-01-01,a,\\"1\\"2,1"]',
      '{"deviceId":"a","timestamp":1704067200000,"temperature":1,"vibration":1}',
    ])
  })

  test('a time of another format is refused, though it is a time', async () => {
    const timestamp = { column: 'time', format: 'dd.MM.yyyy HH:mm', timeZone: 'Europe/Berlin' }
    const { lines } = await read('time,machine,temp,vib\n2024-01-01T00:00:00Z,a,1,1\n31.03.2024 02:30,a,1,1\n', {
      timestamp,
    })
    const note = '(not a time in the format dd.MM.yyyy HH:mm, Europe/Berlin)'
    expect(lines.map((line) => JSON.parse(line).timestamp)).toEqual([
      `2024-01-01T00:00:00Z ${note}`,
      `31.03.2024 02:30 ${note}`,
    ])
  })

  test('goes on from the place after any row, compressed or not', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `2024-01-01 00:00:${String(i).padStart(2, '0')},"m,${i}",${i},é`)
    const content = `\ufefftime,machine,temp,vib\n${rows.join('\n')}`
    for (const bytes of [Buffer.from(content), gzipSync(content)]) {
      const { lines, positions } = await read(bytes)
      expect(positions.at(-1)).toBe(Buffer.byteLength(content))
      for (const index of [0, 7, 38, 39]) {
        const rest = await read(bytes, {}, positions[index])
        expect(rest.lines).toEqual(lines.slice(index + 1))
        expect(rest.positions).toEqual(positions.slice(index + 1))
      }
    }
  })

  test('names every column that is missing or not the only one of its name, and shows the header', async () => {
    await expect(read('time,temp,temp\n1,2,3\n')).rejects.toMatchObject({
      code: 'CONFIGURATION',
      problems: [
        { field: 'csv.deviceId.column', found: '"machine"', wanted: expect.stringContaining('"time", "temp", "temp"') },
        { field: 'csv.channels.temperature', wanted: expect.stringContaining('once') },
        { field: 'csv.channels.vibration', found: '"vib"' },
      ],
    })
    await expect(read('time;machine;temp;vib\n1;2;3;4\n')).rejects.toThrow('is the delimiter "," the right one?')
  })

  test('refuses a file that has no header or is not UTF-8', async () => {
    await expect(read('')).rejects.toThrow('no row')
    await expect(read(Buffer.from('\ufefftime,machine\n', 'utf16le'))).rejects.toThrow('UTF-16')
    await expect(read(Buffer.from('time,temp °C\n', 'latin1'))).rejects.toThrow('not UTF-8')
  })
})
