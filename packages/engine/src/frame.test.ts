import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decodeFrameHeader,
  encodeFrame,
  type FrameKind,
  frameBytes,
  frameHeaderBytes,
  frameKinds,
  isFrameFault,
  markSyncedBefore,
  payloadFault,
} from './frame.ts'

const anyHeader = fc.record({
  kind: fc.constantFrom(...(Object.keys(frameKinds) as FrameKind[])),
  syncedBefore: fc.boolean(),
  baseOffset: fc.nat({ max: 2 ** 48 - 1 }),
  appendTimeMs: fc.nat({ max: 2 ** 48 - 1 }),
  recordCount: fc.nat({ max: 2 ** 32 - 1 }),
})

test('encodeFrame() and decodeFrameHeader() are inverse for every header, extension and body', () => {
  fc.assert(
    fc.property(
      anyHeader,
      fc.uint8Array({ maxLength: 255 }),
      fc.uint8Array({ maxLength: 500 }),
      (header, extension, body) => {
        const frame = encodeFrame(header, extension, body)
        const decoded = decodeFrameHeader(frame, 0)
        expect(decoded).toMatchObject({ ...header, extensionBytes: extension.length, bodyBytes: body.length })
        if (isFrameFault(decoded)) throw new Error('a fault')
        expect(frameBytes(decoded)).toBe(frame.length)
        expect(payloadFault(decoded, frame.subarray(frameHeaderBytes))).toBeNull()
      },
    ),
    { seed: 1 },
  )
})

test('a change of any single bit of a frame is seen (F1, F2)', () => {
  const header = {
    kind: 'readings',
    syncedBefore: true,
    baseOffset: 77,
    appendTimeMs: 1_766_000_000_000,
    recordCount: 2,
  } as const
  const frame = encodeFrame(header, Buffer.from('extension'), Buffer.from('first line\nsecond line\n'))
  for (let bit = 0; bit < frame.length * 8; bit++) {
    const damaged = Buffer.from(frame)
    damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
    const decoded = decodeFrameHeader(damaged, 0)
    const fault = isFrameFault(decoded) ? decoded : payloadFault(decoded, damaged.subarray(frameHeaderBytes))
    expect(fault, `bit ${bit}`).not.toBeNull()
  }
})

test('decodeFrameHeader() says what is missing of a frame that was cut at any byte', () => {
  const header = { kind: 'heartbeat', syncedBefore: false, baseOffset: 0, appendTimeMs: 0, recordCount: 1 } as const
  const frame = encodeFrame(header, new Uint8Array(0), Buffer.from('body'))
  for (let length = 0; length < frame.length; length++) {
    const cut = frame.subarray(0, length)
    const decoded = decodeFrameHeader(cut, 0)
    const fault = isFrameFault(decoded) ? decoded : payloadFault(decoded, cut.subarray(frameHeaderBytes))
    expect(fault).toMatchObject({ fault: 'cut' })
  }
})

test('markSyncedBefore() changes the mark and nothing else', () => {
  const header = { kind: 'outputs', syncedBefore: false, baseOffset: 5, appendTimeMs: 6, recordCount: 7 } as const
  const frame = encodeFrame(header, Buffer.from('e'), Buffer.from('b'))
  markSyncedBefore(frame, 0)
  expect(frame).toEqual(encodeFrame({ ...header, syncedBefore: true }, Buffer.from('e'), Buffer.from('b')))
})
