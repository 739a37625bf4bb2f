/** The bridge against its golden vectors, which the host's BridgeTest reads too: fixtures/bridge/version-4.json. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as bridge from './bridge.ts'
import { FrameReader } from './guest/frame-reader.ts'
import { FrameWriter } from './guest/frame-writer.ts'
import { PayloadReader, PayloadWriter } from './guest/payloads.ts'

const root = join(import.meta.dirname, '../../..')
const vectors = JSON.parse(readFileSync(join(root, 'fixtures/bridge/version-4.json'), 'utf8'))
const key = 'ö-7'

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Bytes of one frame as the guest writes it. */
function written(kind: number, payload: Uint8Array): string {
  const buffer = new ArrayBuffer(1000)
  const writer = new FrameWriter(buffer)
  writer.begin()
  writer.frame(kind, payload)
  return hexOf(new Uint8Array(buffer, 0, writer.finish()))
}

/** Frames as the guest reads them. */
function read(hex: string): { kind: number; payload: Uint8Array }[] {
  const bytes = Buffer.from(hex, 'hex')
  const buffer = new Uint8Array(bytes).buffer as ArrayBuffer
  const frames: { kind: number; payload: Uint8Array }[] = []
  new FrameReader(buffer).read(bytes.length, (kind, payload) => frames.push({ kind, payload: payload.slice() }))
  return frames
}

test('the constants are those of the fixture and of the document', () => {
  const constants = Object.fromEntries(Object.entries(bridge).filter(([, value]) => typeof value === 'number'))
  expect(constants).toEqual(vectors.constants)
  const document = readFileSync(join(root, 'docs/formats/bridge.md'), 'utf8')
  const { bufferBytes, bundleRecordsMax, offsetsOffset, placesOffset, linesOffset } = bridge
  for (const stated of [bufferBytes, bundleRecordsMax, offsetsOffset, placesOffset, linesOffset])
    expect(document).toContain(stated.toLocaleString('en-US'))
  expect(document).toContain(`Version: ${bridge.bridgeVersion};`)
})

test('the guest writes the frames of the fixture', () => {
  const payload = new PayloadWriter()
  const wanted = vectors.fromGuest
  expect(written(bridge.frameUnknownKey, payload.begin().text(key).end())).toBe(wanted.unknownKey)
  const output = payload.begin().uint8(1).float64(1766000000000).key(key).text('{"x":"é"}').end()
  expect(written(bridge.frameOutput, output)).toBe(wanted.output)
  const withoutKey = payload.begin().uint8(3).float64(Number.NaN).key(null).text('{}').end()
  expect(written(bridge.frameOutput, withoutKey)).toBe(wanted.outputWithoutKey)
  const state = payload.begin().key(key).float64(1766000600000).bytes(Uint8Array.of(9, 8)).end()
  expect(written(bridge.frameStateWrite, state)).toBe(wanted.stateWrite)
  expect(written(bridge.frameStateWrite, payload.begin().key(key).end())).toBe(wanted.forgotten)
  const timer = payload.begin().float64(1766000600000).float64(Number.NaN).key(key).end()
  expect(written(bridge.frameTimer, timer)).toBe(wanted.timer)
  expect(written(bridge.frameCounters, payload.begin().text('{"readings_in_total":2}').end())).toBe(wanted.counters)
})

test('the guest reads the frames of the fixture, those in parts too', () => {
  const given = vectors.toGuest
  const keyFrame = read(given.key)
  expect(keyFrame.map(({ kind, payload }) => [kind, hexOf(payload)])).toEqual([
    [bridge.frameKey, hexOf(Buffer.from(key))],
  ])
  expect(read(given.refusedKey).map(({ kind, payload }) => [kind, hexOf(payload)])).toEqual([
    [bridge.frameRefusedKey, hexOf(Buffer.from(key))],
  ])
  for (const name of ['state', 'stateInParts']) {
    const [frame] = read(given[name])
    const reader = new PayloadReader(frame?.payload ?? new Uint8Array())
    expect([frame?.kind, reader.key(), [...reader.rest()]], name).toEqual([bridge.frameState, key, [1, 2, 3]])
  }
  const [control] = read(given.control)
  const reader = new PayloadReader(control?.payload ?? new Uint8Array())
  expect([reader.float64(), reader.float64(), reader.uint32(), reader.key()]).toEqual([1766000000000, 12, 0, 'key'])
  expect(Buffer.from(reader.rest()).toString()).toBe('value')
})
