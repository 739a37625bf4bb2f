import {
  assert,
  limits,
  type ReadingBatch,
  type ReadingDecoder,
  type Refusal,
  rowEmpty,
  rowRefused,
} from '@millwright/core'
import { decodeWithJsonParse, type ReadingFields } from './decode-with-json-parse.ts'
import { assertDecoderOptions, type ReadingDecoderOptions } from './decoder-options.ts'
import { assertDeviceId, devicesMaxRefusal } from './device-id.ts'
import { lineBreakBytes, newline } from './lines.ts'
import { refusalOf } from './refused.ts'

/**
 * Makes the decoder without WebAssembly: every line by `decodeWithJsonParse`, every id in a Map. Six to ten times slower than
 * `createReadingDecoder`, whose oracle it is.
 *
 * @throws {InvariantError} When the options are not in order; see {@link ReadingDecoderOptions}.
 */
export function createPlainReadingDecoder(options: ReadingDecoderOptions): ReadingDecoder {
  return new PlainReadingDecoder(options)
}

class PlainReadingDecoder implements ReadingDecoder {
  private readonly fields: ReadingFields
  private readonly devicesMax: number
  private readonly indices = new Map<string, number>()
  private readonly ids: (string | null)[] = []
  private readonly freeIndices: number[] = []
  private inputBytes = new Uint8Array(0)

  constructor(options: ReadingDecoderOptions) {
    assertDecoderOptions(options)
    this.fields = { channels: [...options.channels], timestamp: options.timestamp }
    this.devicesMax = options.devicesMax
  }

  get deviceCount(): number {
    return this.indices.size
  }

  deviceId(index: number): string {
    const id = this.ids[index] ?? null
    assert(id !== null, `device index ${index} must be in use`)
    return id
  }

  deviceIndex(id: string): number {
    assertDeviceId(id)
    return this.addDevice(id)
  }

  forget(indices: Int32Array): void {
    for (const index of indices) {
      this.indices.delete(this.deviceId(index))
      this.ids[index] = null
      this.freeIndices.push(index)
    }
  }

  input(byteLength: number): Uint8Array {
    if (byteLength > this.inputBytes.length) {
      const larger = new Uint8Array(byteLength)
      larger.set(this.inputBytes)
      this.inputBytes = larger
    }
    return this.inputBytes.subarray(0, byteLength)
  }

  decodeInput(byteLength: number, onBatch: (batch: ReadingBatch) => void): void {
    this.decode(this.inputBytes.subarray(0, byteLength), onBatch)
  }

  decode(bytes: Uint8Array, onBatch: (batch: ReadingBatch) => void): void {
    let start = 0
    while (start < bytes.length) {
      const lines: { start: number; end: number }[] = []
      while (start < bytes.length && lines.length < limits.batchRowsMax) {
        const newlineAt = bytes.indexOf(newline, start)
        const next = newlineAt < 0 ? bytes.length : newlineAt + 1
        lines.push({ start, end: next - lineBreakBytes(bytes, start, next) })
        start = next
      }
      onBatch(this.decodeLines(bytes, lines))
    }
  }

  private decodeLines(bytes: Uint8Array, lines: readonly { start: number; end: number }[]): ReadingBatch {
    const rowCount = lines.length
    const column = (): Float64Array<ArrayBuffer> => new Float64Array(rowCount).fill(Number.NaN)
    const device = new Int32Array(rowCount).fill(rowRefused)
    const timestampMs = column()
    const channels = this.fields.channels.map(column)
    const refusals: Refusal[] = []
    lines.forEach(({ start, end }, row) => {
      const line = decodeWithJsonParse(bytes, start, end, this.fields)
      if (line.kind === 'blank') {
        device[row] = rowEmpty
      } else if (line.kind === 'refused') {
        refusals.push(refusalOf(row, line))
      } else {
        const index = this.addDevice(line.deviceId)
        if (index < 0) {
          refusals.push(refusalOf(row, devicesMaxRefusal(line.deviceId, this.devicesMax)))
        } else {
          device[row] = index
          timestampMs[row] = line.timestampMs
          line.values.forEach((value, channel) => {
            ;(channels[channel] as Float64Array)[row] = value
          })
        }
      }
    })
    const lineStart = Uint32Array.from(lines, (line) => line.start)
    const lineEnd = Uint32Array.from(lines, (line) => line.end)
    return { rowCount, device, timestampMs, channels, bytes, lineStart, lineEnd, refusals }
  }

  /** Returns the index of an id, adding it if it is new and there is room; else -1. */
  private addDevice(id: string): number {
    const known = this.indices.get(id)
    if (known !== undefined) return known
    if (this.indices.size >= this.devicesMax) return -1
    const index = this.freeIndices.pop() ?? this.ids.length
    this.ids[index] = id
    this.indices.set(id, index)
    return index
  }
}
