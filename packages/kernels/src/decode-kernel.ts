import { bytesOfBase64 } from './base64.ts'
import { decodeWasmBase64 } from './decode.wasm.ts'
import { DecodeDevices } from './decode-devices.ts'
import type { DecodeExports } from './decode-exports.ts'
import { exactPowersOfTen, widePowersOfTen } from './decode-tables.ts'
import { LinearMemory } from './linear-memory.ts'

/** What a reading is, for the kernel. Names are UTF-8, as they stand between quotes; they differ from one another. */
export interface DecodeKernelOptions {
  readonly deviceIdName: Uint8Array
  /** `null`: readings carry no timestamp that counts. */
  readonly timestampName: Uint8Array | null
  /** At most 128. */
  readonly channelNames: readonly Uint8Array[]
  /** Timestamps in [acceptedFromMs, acceptedBeforeMs) are decided by the kernel, all others are left undecided. Epoch milliseconds. */
  readonly acceptedFromMs: number
  readonly acceptedBeforeMs: number
  /** At most 256. */
  readonly deviceIdBytesMax: number
  /** Longer lines are left undecided. Without the newline and a carriage return before it. */
  readonly lineBytesMax: number
  /** Values of other fields nested deeper than this (or than 64) are left undecided. */
  readonly nestingMax: number
  readonly devicesMax: number
}

/** Byte addresses in the memory that hold for the life of the kernel, for another kernel over the same memory. */
export interface DecodeAddresses {
  /** int32 a row: device index, -1 (not accepted), -2 (blank line). */
  readonly device: number
  /** float64 a row: epoch milliseconds. */
  readonly timestampMs: number
  /** float64 a row: channel k begins at `channels + k × channelStride`; NaN = missing. */
  readonly channels: number
  readonly channelStride: number
  /** uint32 a row: addresses of the line's first byte and of the byte after its last. */
  readonly lineStart: number
  readonly lineEnd: number
}

/** Views of the columns, `rowsMax` values each. */
export interface DecodeColumns {
  readonly bytes: Uint8Array
  readonly device: Int32Array
  readonly timestampMs: Float64Array
  readonly channels: readonly Float64Array[]
  readonly lineStart: Uint32Array
  readonly lineEnd: Uint32Array
}

/**
 * The decode kernel and its memory: lines of JSON in, columns out.
 *
 * The kernel accepts a line only where it is certain, and leaves the others undecided: their rows hold device -1, and
 * `undecidedRows` lists them. What an undecided line is, the caller's plain path says.
 *
 * @throws {RangeError} When there are more channels than the kernel has columns.
 */
export class DecodeKernel {
  readonly memory: LinearMemory
  readonly devices: DecodeDevices
  /** Rows of one call. */
  readonly rowsMax: number
  readonly addresses: DecodeAddresses
  private readonly kernel: DecodeExports
  private readonly channelCount: number
  private inputAddress = 0
  private inputCapacity = 0
  private views: DecodeColumns

  constructor(options: DecodeKernelOptions) {
    const memory = new WebAssembly.Memory({ initial: 1 })
    const module = new WebAssembly.Module(bytesOfBase64(decodeWasmBase64))
    const kernel = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as DecodeExports
    this.kernel = kernel
    this.channelCount = options.channelNames.length
    if (this.channelCount > kernel.channelsMax.value)
      throw new RangeError(
        `Cannot decode ${this.channelCount} channels as there must be at most ${kernel.channelsMax.value}`,
      )
    this.rowsMax = kernel.rowsMax.value
    this.addresses = {
      device: kernel.deviceColumn.value,
      timestampMs: kernel.timestampColumn.value,
      channels: kernel.channelColumns.value,
      channelStride: kernel.channelColumnStride.value,
      lineStart: kernel.lineStartColumn.value,
      lineEnd: kernel.lineEndColumn.value,
    }
    const columnsEnd = this.addresses.channels + this.channelCount * this.addresses.channelStride
    this.memory = new LinearMemory(memory, columnsEnd)
    this.fillTables(options)
    kernel.configure(
      this.channelCount,
      options.timestampName !== null,
      options.acceptedFromMs,
      options.acceptedBeforeMs,
      options.deviceIdBytesMax,
      options.lineBytesMax,
      options.nestingMax,
    )
    this.devices = new DecodeDevices(kernel, this.memory, options.devicesMax)
    this.views = this.makeViews()
  }

  /** The columns as the last `decodeLines` left them. Hold until the memory grows: `input` and `devices.indexOf` may do that. */
  get columns(): DecodeColumns {
    if (this.views.bytes.buffer !== this.memory.memory.buffer) this.views = this.makeViews()
    return this.views
  }

  /** Rows that the last `decodeLines` left undecided, ascending; a view that holds as long as `columns`. */
  get undecidedRows(): Uint32Array {
    const { buffer } = this.memory.memory
    return new Uint32Array(buffer, this.kernel.undecidedRows.value, this.kernel.undecidedCountNow())
  }

  /** Address after the last line that the last `decodeLines` decoded. */
  get decodedEnd(): number {
    return this.kernel.decodedEndNow() >>> 0
  }

  /**
   * Returns room for `byteLength` bytes of lines and one newline. What the room held before is still there as far as it fits. The
   * view holds until the memory grows.
   */
  input(byteLength: number): Uint8Array {
    const wanted = byteLength + 1 + this.kernel.readAheadBytes.value
    if (wanted > this.inputCapacity) {
      const address = this.memory.allocate(wanted)
      const bytes = new Uint8Array(this.memory.memory.buffer)
      bytes.copyWithin(address, this.inputAddress, this.inputAddress + this.inputCapacity)
      this.memory.release(this.inputAddress, this.inputCapacity)
      this.inputAddress = address
      this.inputCapacity = wanted
    }
    return this.columns.bytes.subarray(this.inputAddress, this.inputAddress + byteLength + 1)
  }

  /**
   * Decodes the lines in the addresses [start, end), as many as fit `rowsMax` rows; returns how many these are.
   *
   * @param start In the last `input`.
   * @param end In the last `input`; the byte before it is a newline.
   */
  decodeLines(start: number, end: number): number {
    // Where the directory may become full within these rows, who gets the last place depends on the order of the
    // rows, of which the kernel sees only those that it decides. So it adds none, and the caller does, row by row.
    return this.kernel.decodeLines(start, end, this.devices.spare >= this.rowsMax)
  }

  private fillTables(options: DecodeKernelOptions): void {
    const kernel = this.kernel
    // The timestamp keeps its place in the table; a length that no name has keeps it from being found.
    const names = [options.deviceIdName, options.timestampName, ...options.channelNames]
    const text = this.memory.allocate(names.reduce((sum, name) => sum + (name?.length ?? 0), 0))
    const { buffer } = this.memory.memory
    new Float64Array(buffer, kernel.exactPowers.value).set(exactPowersOfTen())
    new BigUint64Array(buffer, kernel.widePowers.value).set(widePowersOfTen(kernel.widePowerMax.value))
    const bytes = new Uint8Array(buffer)
    bytes.fill(0xff, kernel.prefixMask.value, kernel.prefixMask.value + 16)
    const entries = new Uint32Array(buffer, kernel.fieldNames.value, names.length * 2)
    let at = text
    names.forEach((name, field) => {
      if (name !== null) bytes.set(name, at)
      entries[field * 2] = at
      entries[field * 2 + 1] = name?.length ?? 0xffff_ffff
      at += name?.length ?? 0
    })
  }

  private makeViews(): DecodeColumns {
    const { buffer } = this.memory.memory
    const { device, timestampMs, channels, channelStride, lineStart, lineEnd } = this.addresses
    return {
      bytes: new Uint8Array(buffer),
      device: new Int32Array(buffer, device, this.rowsMax),
      timestampMs: new Float64Array(buffer, timestampMs, this.rowsMax),
      channels: Array.from(
        { length: this.channelCount },
        (_, channel) => new Float64Array(buffer, channels + channel * channelStride, this.rowsMax),
      ),
      lineStart: new Uint32Array(buffer, lineStart, this.rowsMax),
      lineEnd: new Uint32Array(buffer, lineEnd, this.rowsMax),
    }
  }
}
