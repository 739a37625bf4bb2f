import { decodeUtf8, limits } from '@millwright/core'
import { ModelFileError, type ModelFileReason } from './model-file-error.ts'
import { Place } from './place.ts'
import type { ValueKind, ValueReader } from './value-reader.ts'

// Markers of UBJSON, draft 12 (ubjson.org), as far as XGBoost writes them. Source: dmlc/xgboost `src/common/json.cc`.
const markerArray = 0x5b
const markerArrayEnd = 0x5d
const markerObject = 0x7b
const markerObjectEnd = 0x7d
const markerType = 0x24
const markerCount = 0x23
const markerString = 0x53
const markerNull = 0x5a
const markerTrue = 0x54
const markerFalse = 0x46
const markerInt8 = 0x69
const markerUint8 = 0x55
const markerInt16 = 0x49
const markerInt32 = 0x6c
const markerInt64 = 0x4c
const markerFloat32 = 0x64
const markerFloat64 = 0x44
const markerChar = 0x43

/** Bytes of one number behind each marker. */
const numberBytes: ReadonlyMap<number, number> = new Map([
  [markerInt8, 1],
  [markerUint8, 1],
  [markerChar, 1],
  [markerInt16, 2],
  [markerInt32, 4],
  [markerInt64, 8],
  [markerFloat32, 4],
  [markerFloat64, 8],
])

/** How the elements of an array stand: all of one number type, or each with its marker; counted, or up to the end marker. */
interface ArrayHead {
  /** Marker of all elements; `null` where each has its own. */
  readonly type: number | null
  /** `null`: up to the end marker. */
  readonly count: number | null
}

/**
 * Reads Universal Binary JSON as XGBoost writes it: big-endian numbers; strings and counts behind an integer marker; arrays
 * plain, counted (`#`), or counted and typed (`$`) with numbers.
 *
 * U1 A count is compared with the bytes that are left before anything is reserved for it: each element takes a byte at least.
 * U2 The depth of containers being read is at most `modelFileDepthMax`, also inside `skip`.
 */
export class UbjsonReader implements ValueReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #place = new Place()
  #position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get offsetBytes(): number {
    return this.#position
  }

  get where(): string {
    return this.#place.toString()
  }

  kind(): ValueKind {
    const marker = this.#peek()
    if (marker === markerObject) return 'object'
    if (marker === markerArray) return 'array'
    if (marker === markerString) return 'string'
    if (marker === markerTrue || marker === markerFalse) return 'boolean'
    if (marker === markerNull) return 'null'
    if (numberBytes.has(marker)) return 'number'
    throw this.#error('malformed', `found byte 0x${marker.toString(16).padStart(2, '0')}, which no value begins with`)
  }

  object(onField: (name: string) => void): void {
    this.#open('object', markerObject)
    while (this.#peek() !== markerObjectEnd) {
      const name = this.#text()
      this.#place.setField(name)
      onField(name)
    }
    this.#position += 1
    this.#place.leave()
  }

  array(onElement: (index: number) => void): void {
    this.#open('array', markerArray)
    const head = this.#arrayHead()
    if (head.type !== null) throw this.#error('wrong-type', 'found an array of numbers, wanted other values')
    for (let index = 0; this.#hasElement(head, index); index++) {
      this.#place.setIndex(index)
      onElement(index)
    }
    this.#place.leave()
  }

  string(): string {
    this.#expectKind('string')
    this.#position += 1
    return this.#text()
  }

  number(): number {
    this.#expectKind('number')
    return this.#number(this.#take())
  }

  float32s(countMax: number): Float32Array {
    return this.#numbers(
      countMax,
      (length) => new Float32Array(length),
      (value) => value,
    )
  }

  integers(countMax: number): Int32Array {
    return this.#numbers(
      countMax,
      (length) => new Int32Array(length),
      (value) => {
        if (!Number.isInteger(value)) throw this.#error('wrong-type', `found ${value}, wanted a whole number`)
        return Math.max(-0x8000_0000, Math.min(0x7fff_ffff, value))
      },
    )
  }

  flags(countMax: number): Uint8Array {
    return this.#numbers(
      countMax,
      (length) => new Uint8Array(length),
      (value) => {
        if (value !== 0 && value !== 1) throw this.#error('wrong-type', `found ${value}, wanted 0 or 1`)
        return value
      },
    )
  }

  skip(): void {
    const kind = this.kind()
    if (kind === 'number') this.number()
    else if (kind === 'string') this.string()
    else if (kind === 'boolean' || kind === 'null') this.#position += 1
    else if (kind === 'object') this.object(() => this.skip())
    else this.#skipArray()
  }

  postpone(): (read: () => void) => void {
    const start = this.#position
    const restore = this.#place.save()
    this.skip()
    return (read) => {
      const position = this.#position
      const undo = this.#place.save()
      this.#position = start
      restore()
      read()
      this.#position = position
      undo()
    }
  }

  end(): void {
    if (this.#position < this.#bytes.length)
      throw this.#error('trailing-bytes', `${this.#bytes.length - this.#position} bytes after the end of the model`)
  }

  #skipArray(): void {
    this.#open('array', markerArray)
    const head = this.#arrayHead()
    if (head.type !== null) this.#position += (head.count as number) * (numberBytes.get(head.type) as number)
    else for (let index = 0; this.#hasElement(head, index); index++) this.skip()
    this.#place.leave()
  }

  #numbers<Values extends Float32Array | Int32Array | Uint8Array>(
    countMax: number,
    make: (length: number) => Values,
    convert: (value: number) => number,
  ): Values {
    this.#open('array', markerArray)
    const head = this.#arrayHead()
    if (head.count !== null && head.count > countMax) throw this.#tooMany(countMax)
    let values = make(head.count ?? 16)
    let count = 0
    for (; this.#hasElement(head, count); count++) {
      if (count === countMax) throw this.#tooMany(countMax)
      if (count === values.length) {
        const longer = make(2 * count)
        longer.set(values)
        values = longer
      }
      values[count] = convert(this.#element(head.type))
    }
    this.#place.leave()
    return (count === values.length ? values : values.slice(0, count)) as Values
  }

  #element(type: number | null): number {
    if (type !== null) return this.#number(type)
    const kind = this.kind()
    if (kind === 'boolean') return this.#take() === markerTrue ? 1 : 0
    return this.number()
  }

  #arrayHead(): ArrayHead {
    let type: number | null = null
    if (this.#peek() === markerType) {
      this.#position += 1
      type = this.#take()
      if (!numberBytes.has(type)) throw this.#error('malformed', 'a typed array of something other than numbers')
      if (this.#peek() !== markerCount) throw this.#error('malformed', 'a typed array without a count')
    }
    if (this.#peek() !== markerCount) return { type, count: null }
    this.#position += 1
    const count = this.#length()
    const elementBytes = type === null ? 1 : (numberBytes.get(type) as number)
    if (count * elementBytes > this.#bytes.length - this.#position)
      throw this.#error(
        'length-beyond-file',
        `an array of ${count} elements where ${this.#bytes.length - this.#position} bytes are left`,
      )
    return { type, count }
  }

  #hasElement(head: ArrayHead, index: number): boolean {
    if (head.count !== null) return index < head.count
    if (this.#peek() !== markerArrayEnd) return true
    this.#position += 1
    return false
  }

  #text(): string {
    const length = this.#length()
    if (length > limits.modelStringBytesMax)
      throw this.#error('string-too-long', `a string of ${length} bytes; at most ${limits.modelStringBytesMax}`)
    this.#need(length)
    const start = this.#position
    const text = decodeUtf8(this.#bytes, start, start + length)
    if (text === null) throw this.#error('not-utf8', 'a string that is not well-formed UTF-8')
    this.#position += length
    return text
  }

  /** A length or count: an integer marker and a number that is not negative. */
  #length(): number {
    const marker = this.#take()
    const integer = numberBytes.has(marker) && marker !== markerFloat32 && marker !== markerFloat64
    if (!integer || marker === markerChar) throw this.#error('malformed', 'a length that is not an integer')
    const length = this.#number(marker)
    if (length < 0) throw this.#error('malformed', `a length of ${length}`)
    return length
  }

  /** Reads the number behind a marker. An int64 beyond 2^53 is rounded, and is then too large for anything here. */
  #number(marker: number): number {
    const size = numberBytes.get(marker) as number
    this.#need(size)
    const at = this.#position
    this.#position += size
    if (marker === markerFloat32) return this.#view.getFloat32(at)
    if (marker === markerInt32) return this.#view.getInt32(at)
    if (marker === markerUint8 || marker === markerChar) return this.#view.getUint8(at)
    if (marker === markerInt8) return this.#view.getInt8(at)
    if (marker === markerInt16) return this.#view.getInt16(at)
    if (marker === markerFloat64) return this.#view.getFloat64(at)
    return this.#view.getInt32(at) * 4_294_967_296 + this.#view.getUint32(at + 4)
  }

  #open(wanted: ValueKind, marker: number): void {
    if (this.#peek() !== marker) this.#expectKind(wanted)
    if (this.#place.depth >= limits.modelFileDepthMax)
      throw this.#error('too-deep', `values nested more than ${limits.modelFileDepthMax} deep`)
    this.#place.enter()
    this.#position += 1
  }

  #expectKind(wanted: ValueKind): void {
    const found = this.kind()
    if (found !== wanted) throw this.#error('wrong-type', `found ${found}, wanted ${wanted}`)
  }

  #peek(): number {
    this.#need(1)
    return this.#bytes[this.#position] as number
  }

  #take(): number {
    const marker = this.#peek()
    this.#position += 1
    return marker
  }

  #need(byteCount: number): void {
    if (this.#bytes.length - this.#position < byteCount)
      throw this.#error('truncated', 'the file ends before the model does')
  }

  #tooMany(countMax: number): ModelFileError {
    return this.#error('too-many', `more than ${countMax} numbers in an array`)
  }

  #error(reason: ModelFileReason, problem: string): ModelFileError {
    return new ModelFileError(reason, problem, this.where, this.#position)
  }
}
