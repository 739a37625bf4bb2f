import {
  assert,
  decodeUtf8,
  encodeUtf8,
  limits,
  type ReadingBatch,
  type ReadingDecoder,
  type Refusal,
  rowEmpty,
  rowRefused,
} from '@millwright/core'
import { type DecodeColumns, DecodeKernel } from '@millwright/kernels'
import { type DecodedReading, decodeWithJsonParse, type ReadingFields } from './decode-with-json-parse.ts'
import { assertDecoderOptions, type ReadingDecoderOptions } from './decoder-options.ts'
import { assertDeviceId, devicesMaxRefusal } from './device-id.ts'
import { lineBreakBytes, newline } from './lines.ts'
import { refusalOf } from './refused.ts'
import { secondsBefore, timestampMsBefore } from './timestamp.ts'

/** Bytes that are copied into the decoder's memory at once: whole lines, so that they and the columns stay in a second-level cache. */
const pieceBytes = 256 * 1024

/**
 * Makes a decoder of newline-separated JSON readings that runs in WebAssembly, in Node as in plain V8.
 *
 * What a line is does not depend on the lines around it, on how they are cut into calls, or on whether the kernel or
 * `JSON.parse` decided it; `createPlainReadingDecoder` gives the same batches but for where they end.
 *
 * Memory: about 0.7 MiB, 32 KiB a channel, the largest input, and 30 to 95 bytes a device, depending on how lately its directory has
 * doubled (50 at 1,000,000 devices; ids of more than 15 bytes take two to three times their length more).
 *
 * @throws {InvariantError} When the options are not in order; see {@link ReadingDecoderOptions}.
 */
export function createReadingDecoder(options: ReadingDecoderOptions): ReadingDecoder {
  return new KernelReadingDecoder(options)
}

/**
 * Invariants
 * - B1: each line of the input is one row, in order, and is decided either by the kernel or, where that leaves it undecided, by
 *   `decodeWithJsonParse`; both say the same of every line they both decide.
 * - B2: a device enters the directory only with a reading that is accepted, in the order of the lines.
 * - B3: while `onBatch` runs, the input and the columns stay where they are; `deviceIndex` may move the views.
 */
class KernelReadingDecoder implements ReadingDecoder {
  private readonly fields: ReadingFields
  private readonly devicesMax: number
  private readonly kernel: DecodeKernel
  private decoding = false

  constructor(options: ReadingDecoderOptions) {
    assertDecoderOptions(options)
    this.fields = { channels: [...options.channels], timestamp: options.timestamp }
    this.devicesMax = options.devicesMax
    this.kernel = new DecodeKernel({
      deviceIdName: encodeUtf8('deviceId'),
      timestampName: options.timestamp === 'event' ? encodeUtf8('timestamp') : null,
      channelNames: options.channels.map((name) => encodeUtf8(name)),
      acceptedFromMs: secondsBefore,
      acceptedBeforeMs: timestampMsBefore,
      deviceIdBytesMax: limits.deviceIdBytesMax,
      lineBytesMax: limits.lineBytesMax,
      nestingMax: limits.jsonDepthMax,
      devicesMax: options.devicesMax,
    })
    assert(this.kernel.rowsMax <= limits.batchRowsMax, 'the kernel fills no more rows than a batch has')
  }

  get deviceCount(): number {
    return this.kernel.devices.count
  }

  deviceId(index: number): string {
    const id = decodeUtf8(this.kernel.devices.id(index))
    assert(id !== null && id !== '', `device index ${index} must be in use`)
    return id
  }

  deviceIndex(id: string): number {
    assertDeviceId(id)
    return this.kernel.devices.indexOf(encodeUtf8(id))
  }

  forget(indices: Int32Array): void {
    for (const index of indices) assert(this.kernel.devices.remove(index), `device index ${index} must be in use`)
  }

  input(byteLength: number): Uint8Array {
    assert(!this.decoding, 'input() must not be called while a batch is being read')
    return this.kernel.input(byteLength).subarray(0, byteLength)
  }

  decode(bytes: Uint8Array, onBatch: (batch: ReadingBatch) => void): void {
    let start = 0
    while (start < bytes.length) {
      const end = pieceEnd(bytes, start)
      if (end - start > limits.lineBytesMax + 2) {
        onBatch(this.batchOfLongLine(bytes, start, end))
      } else {
        this.input(Math.max(pieceBytes, end - start)).set(bytes.subarray(start, end))
        this.decodeInput(end - start, onBatch)
      }
      start = end
    }
  }

  decodeInput(byteLength: number, onBatch: (batch: ReadingBatch) => void): void {
    assert(!this.decoding, 'decode() must not be called while a batch is being read')
    const input = this.kernel.input(byteLength)
    const start = input.byteOffset
    const end = start + byteLength
    if (byteLength === 0) return
    this.decoding = true
    // The kernel wants a newline after each line. The byte is put back: it may be the first of what the caller reads next.
    const after = input[byteLength] as number
    const newlineAdded = input[byteLength - 1] !== newline
    if (newlineAdded) input[byteLength] = newline
    try {
      let at = start
      while (at < end) {
        const rowCount = this.kernel.decodeLines(at, end + (newlineAdded ? 1 : 0))
        at = this.kernel.decodedEnd
        const refusals = this.decideUndecided()
        onBatch({ rowCount, ...this.kernel.columns, refusals })
      }
    } finally {
      this.decoding = false
      if (newlineAdded) this.kernel.columns.bytes[end] = after
    }
  }

  /** Takes the rows that the kernel left undecided the slow way, in order. */
  private decideUndecided(): Refusal[] {
    const refusals: Refusal[] = []
    // A copy: adding a device may grow the memory, and empty the view.
    for (const row of this.kernel.undecidedRows.slice()) {
      const refusal = this.decideRow(row)
      if (refusal !== null) refusals.push(refusal)
    }
    return refusals
  }

  private decideRow(row: number): Refusal | null {
    const { bytes, lineStart, lineEnd } = this.kernel.columns
    const line = decodeWithJsonParse(bytes, lineStart[row] as number, lineEnd[row] as number, this.fields)
    if (line.kind === 'blank') {
      writeRow(this.kernel.columns, row, rowEmpty, null)
      return null
    }
    if (line.kind === 'refused') {
      writeRow(this.kernel.columns, row, rowRefused, null)
      return refusalOf(row, line)
    }
    const device = this.kernel.devices.indexOf(encodeUtf8(line.deviceId))
    // The columns are asked for only now: adding the device may have moved the views.
    writeRow(this.kernel.columns, row, device < 0 ? rowRefused : device, device < 0 ? null : line)
    return device < 0 ? refusalOf(row, devicesMaxRefusal(line.deviceId, this.devicesMax)) : null
  }

  /** A line of which the length alone says all; it stays where it is. */
  private batchOfLongLine(bytes: Uint8Array, start: number, end: number): ReadingBatch {
    const lineEnd = end - lineBreakBytes(bytes, start, end)
    const line = decodeWithJsonParse(bytes, start, lineEnd, this.fields)
    assert(line.kind === 'refused', 'a line beyond lineBytesMax is refused')
    return {
      rowCount: 1,
      device: Int32Array.of(rowRefused),
      timestampMs: Float64Array.of(Number.NaN),
      channels: this.fields.channels.map(() => Float64Array.of(Number.NaN)),
      bytes,
      lineStart: Uint32Array.of(start),
      lineEnd: Uint32Array.of(lineEnd),
      refusals: [refusalOf(0, line)],
    }
  }
}

/** Returns the end of the whole lines that begin at `start`, about `pieceBytes` of them, or of the one line that is longer. */
function pieceEnd(bytes: Uint8Array, start: number): number {
  const limit = start + pieceBytes
  if (bytes.length <= limit) return bytes.length
  const lastNewline = bytes.subarray(start, limit).lastIndexOf(newline)
  if (lastNewline >= 0) return start + lastNewline + 1
  const nextNewline = bytes.indexOf(newline, limit)
  return nextNewline < 0 ? bytes.length : nextNewline + 1
}

/** Writes a row that the kernel left undecided; without a reading all its values are missing. */
function writeRow(columns: DecodeColumns, row: number, device: number, reading: DecodedReading | null): void {
  columns.device[row] = device
  columns.timestampMs[row] = reading === null ? Number.NaN : reading.timestampMs
  columns.channels.forEach((column, channel) => {
    column[row] = reading === null ? Number.NaN : (reading.values[channel] as number)
  })
}
