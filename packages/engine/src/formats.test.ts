import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { limits } from '@millwright/core'
import { MemoryDisk } from '@millwright/testkit'
import { expect, test } from 'vitest'
import { readFormat, storeVersion, writeFormat } from './data-folder.ts'
import { defaultRetention } from './engine-options.ts'
import { encodeFrame, frameHeaderBytes, frameKinds, frameMagic } from './frame.ts'
import { encodeSourceExtension } from './input-extension.ts'
import { InputState } from './input-state.ts'
import { encodeOutputMark, encodeOutputRecord, outputMarkBytes, outputRecordHeadBytes } from './output-record.ts'

/** Method: the tables of the format pages are read, and what the code writes is taken apart by them. */
const page = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../../../docs/formats', `${name}.md`), 'utf8')

/** Rows `| at | bytes | field |` of the table below a heading. */
function layout(text: string, heading: string): { at: number; bytes: number; field: string }[] {
  const section = text.slice(text.indexOf(heading)).split('\n## ')[0] ?? ''
  const table = section.slice(section.indexOf('| at |'))
  const rows = table.slice(0, table.indexOf('\n\n')).split('\n').slice(2)
  return rows.flatMap((row) => {
    const [, at, bytes, field] = row.split('|').map((cell) => cell.trim())
    const isFixed = /^\d+$/.test(at ?? '') && /^\d+$/.test(bytes ?? '')
    return isFixed ? [{ at: Number(at), bytes: Number(bytes), field: (field ?? '').split(/[:;,]/)[0] ?? '' }] : []
  })
}

function fields(bytes: Buffer, rows: ReturnType<typeof layout>): Record<string, number> {
  return Object.fromEntries(
    rows.map(({ at, bytes: width, field }) => [
      field,
      width === 8 ? Number(bytes.readBigUInt64LE(at)) : bytes.readUIntLE(at, width),
    ]),
  )
}

test('a frame is as docs/formats/log.md draws it', () => {
  const rows = layout(page('log'), '## Frame')
  const header = { kind: 'outputs', syncedBefore: true, baseOffset: 1234, appendTimeMs: 5678, recordCount: 9 } as const
  const frame = encodeFrame(header, Buffer.from('ext'), Buffer.from('the body'))
  const read = fields(frame, rows)
  expect(read).toMatchObject({
    magic: frameMagic.readUInt16LE(0),
    kind: frameKinds.outputs | 0x80,
    'extension length': 3,
    'body length': 8,
    'base offset': 1234,
    'append time': 5678,
    'record count': 9,
  })
  expect(rows.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(frameHeaderBytes)
  expect(page('log')).toContain(`magic: \`${frameMagic.toString('hex', 0, 1)} ${frameMagic.toString('hex', 1, 2)}\``)
})

test('kinds of frames have the numbers of docs/formats/log.md', () => {
  const documented = [...page('log').matchAll(/^\| `([a-z-]+)` \| (\d+) \|/gm)].map(([, kind, n]) => [kind, Number(n)])
  expect(Object.fromEntries(documented)).toEqual(frameKinds)
})

test('the position of a source and an output record are as docs/formats/log.md draws them', () => {
  const extension = encodeSourceExtension({ id: 'file', position: 2 ** 40 + 1, acknowledged: 77 })
  const [position, acknowledged] = layout(page('log'), '### Position of a source')
  expect(
    fields(
      extension,
      [position, acknowledged].filter((row) => row !== undefined),
    ),
  ).toEqual({
    'position of the source after the last line of the frame': 2 ** 40 + 1,
    acknowledged: 77,
  })
  expect(extension.subarray(16).toString()).toBe('file')

  const record = Buffer.alloc(100)
  const length = encodeOutputRecord(record, 0, 'device', { inputOffset: 2 ** 33, index: 3 }, '{}')
  const rows = layout(page('log'), '### Output record')
  expect(fields(record, rows)).toEqual({ 'value length': 2, 'key length': 6, 'input offset': 2 ** 33, index: 3 })
  expect(rows.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(outputRecordHeadBytes)
  expect(record.toString('utf8', outputRecordHeadBytes, length)).toBe('device{}')
  expect(encodeOutputMark({ inputOffset: 1, index: 2 })).toHaveLength(outputMarkBytes)
})

test('the state of an input log has the keys of docs/formats/log.md', () => {
  const example = /```json\n([\s\S]*?)```/.exec(page('log'))?.[1] ?? ''
  expect(Object.keys(JSON.parse(example) as object)).toEqual(
    Object.keys(JSON.parse(new InputState().encode().toString()) as object),
  )
})

test('limits that the format pages state are those of the code', () => {
  const log = page('log')
  for (const value of [limits.segmentBytesMax, limits.frameBytesMax, limits.sourcesMax])
    expect(log).toContain(value.toLocaleString('en'))
  expect(log).toContain(`| 16 | 1–${limits.sourceIdBytesMax} |`)
  expect(page('state')).toContain(`when there are ${limits.snapshotDeltasMax} of them`)
  const folder = page('data-folder')
  const dayMs = 24 * 3600 * 1000
  expect(folder).toContain(
    `readings are kept ${defaultRetention.readingsMs / dayMs} days, outputs ${defaultRetention.outputsMs / dayMs} days, ` +
      `${defaultRetention.diskBytesMax / 1e9} GB in all`,
  )
  expect(folder).toContain(`the ${limits.modelPackagesKept} newest`)
})

test('the format file is as docs/formats/data-folder.md says', () => {
  const disk = new MemoryDisk()
  disk.makeDirectory('/data')
  const documented = /\| `format` \| `([^`]+)`/.exec(page('data-folder'))?.[1] ?? ''
  writeFormat(disk, '/data', 3)
  expect(Buffer.from(disk.files().get('/data/format') ?? []).toString()).toBe(`${documented}\n`)
  expect(readFormat(disk, '/data')).toEqual({ version: storeVersion, partitionCount: 3 })
})
