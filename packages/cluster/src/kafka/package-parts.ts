import { createHash } from 'node:crypto'
import { partHeadBytes, partMagic } from '../guest/model-topic.ts'
import { packagePartKey } from './model-update-key.ts'

/** A record of `model-updates`. */
export interface PackagePart {
  readonly key: string
  readonly value: Uint8Array
}

/** Bytes of a package in one part: with its head and key it fits the record that every broker takes. */
const partBytesMax = 768 * 1024

/** Cuts a model package into the records that carry it: docs/formats/bridge.md, "Control records". */
export function packageParts(model: { name: string; version: string }, bytes: Uint8Array): PackagePart[] {
  const sha256 = createHash('sha256').update(bytes).digest()
  const partCount = Math.max(1, Math.ceil(bytes.length / partBytesMax))
  return Array.from({ length: partCount }, (_, part) => {
    const body = bytes.subarray(part * partBytesMax, (part + 1) * partBytesMax)
    const value = new Uint8Array(partHeadBytes + body.length)
    const view = new DataView(value.buffer)
    value.set(partMagic)
    view.setUint32(8, part, true)
    view.setUint32(12, partCount, true)
    value.set(sha256, 16)
    value.set(body, partHeadBytes)
    return { key: packagePartKey(model.name, model.version, part), value }
  })
}
