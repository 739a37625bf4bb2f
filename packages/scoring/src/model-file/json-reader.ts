import { decodeUtf8, limits } from '@millwright/core'
import { float32OfDecimal } from './decimal-float32.ts'
import { ModelFileError, type ModelFileReason } from './model-file-error.ts'
import { Place } from './place.ts'
import type { ValueKind, ValueReader } from './value-reader.ts'

const quote = 0x22
const comma = 0x2c
const minus = 0x2d
const colon = 0x3a
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/** Longest number, in bytes: 17 digits identify a double; old writers printed some more. */
const numberBytesMax = 64
/** Doubles up to here, and powers of ten up to 10^22, are exact, so that one operation on them rounds once. */
const exactDigitsMax = 15
const exactPowers = Float64Array.from({ length: 23 }, (_, n) => Number(`1e${n}`))

/**
 * Reads JSON (RFC 8259), and beside it what XGBoost's own writer puts there: NaN, Infinity, -Infinity.
 *
 * J1 `position` stands before the next token or on white space before it; it only grows, but for `postpone`.
 * J2 The depth of containers being read is at most `modelFileDepthMax`, also inside `skip`, which does not recurse.
 * J3 Number arrays grow by doubling from what was really there; nothing is reserved on the file's word.
 */
export class JsonReader implements ValueReader {
  readonly #bytes: Uint8Array
  readonly #place = new Place()
  #position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get offsetBytes(): number {
    return this.#position
  }

  get where(): string {
    return this.#place.toString()
  }

  kind(): ValueKind {
    const byte = this.#next()
    if (byte === openBrace) return 'object'
    if (byte === openBracket) return 'array'
    if (byte === quote) return 'string'
    if (byte === 0x74 || byte === 0x66) return 'boolean'
    if (byte === 0x6e) return 'null'
    if (isNumberByte(byte) || byte === 0x4e || byte === 0x49) return 'number'
    throw this.#error('malformed', `found ${nameOfByte(byte)} where a value is wanted`)
  }

  object(onField: (name: string) => void): void {
    this.#open('object', openBrace)
    let first = true
    while (this.#next() !== closeBrace) {
      if (!first) this.#expect(comma, 'a comma or the end of the object')
      first = false
      const name = this.string()
      this.#expect(colon, 'a colon')
      this.#place.setField(name)
      onField(name)
    }
    this.#close()
  }

  array(onElement: (index: number) => void): void {
    this.#open('array', openBracket)
    for (let index = 0; this.#next() !== closeBracket; index++) {
      if (index > 0) this.#expect(comma, 'a comma or the end of the array')
      this.#place.setIndex(index)
      onElement(index)
    }
    this.#close()
  }

  string(): string {
    this.#expectKind('string', this.#next() === quote)
    const start = this.#position + 1
    const end = this.#endOfString()
    if (end - start > limits.modelStringBytesMax)
      throw this.#error('string-too-long', `a string of ${end - start} bytes; at most ${limits.modelStringBytesMax}`)
    let escaped = false
    for (let i = start; i < end; i++) {
      const byte = this.#bytes[i] as number
      if (byte < 0x20) throw this.#error('malformed', 'a control character in a string')
      escaped ||= byte === backslash
    }
    const text = decodeUtf8(this.#bytes, start, end)
    if (text === null) throw this.#error('not-utf8', 'a string that is not well-formed UTF-8')
    this.#position = end + 1
    return escaped ? this.#unescape(text) : text
  }

  number(): number {
    this.#expectKind('number', this.kind() === 'number')
    const start = this.#position
    return this.#literal() ?? this.#decimal(start, this.#endOfNumber(start))
  }

  float32s(countMax: number): Float32Array {
    let values = new Float32Array(16)
    const count = this.#numbers(countMax, (index) => {
      if (index === values.length) values = grown(values, new Float32Array(2 * index))
      values[index] = this.#float32()
    })
    return values.slice(0, count)
  }

  integers(countMax: number): Int32Array {
    let values = new Int32Array(16)
    const count = this.#numbers(countMax, (index) => {
      if (index === values.length) values = grown(values, new Int32Array(2 * index))
      const value = this.number()
      if (!Number.isInteger(value)) throw this.#error('wrong-type', `found ${value}, wanted a whole number`)
      values[index] = Math.max(-0x8000_0000, Math.min(0x7fff_ffff, value))
    })
    return values.slice(0, count)
  }

  flags(countMax: number): Uint8Array {
    let values = new Uint8Array(16)
    const count = this.#numbers(countMax, (index) => {
      if (index === values.length) values = grown(values, new Uint8Array(2 * index))
      values[index] = this.#flag()
    })
    return values.slice(0, count)
  }

  skip(): void {
    /** Opening brackets that wait for their closing ones. */
    const open: number[] = []
    do {
      const byte = this.#next()
      if (byte === openBrace || byte === openBracket) {
        if (this.#place.depth + open.length >= limits.modelFileDepthMax)
          throw this.#error('too-deep', `values nested more than ${limits.modelFileDepthMax} deep`)
        open.push(byte)
        this.#position += 1
      } else if (byte === closeBrace || byte === closeBracket) {
        if (open.pop() !== byte - 2) throw this.#error('malformed', `found ${nameOfByte(byte)} that closes nothing`)
        this.#position += 1
      } else if (byte === quote) this.#position = this.#endOfString() + 1
      else if (open.length > 0 && (byte === comma || byte === colon)) this.#position += 1
      else this.#skipScalar()
    } while (open.length > 0)
  }

  postpone(): (read: () => void) => void {
    this.#next()
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
    this.#skipSpace()
    if (this.#position < this.#bytes.length)
      throw this.#error('trailing-bytes', `${this.#bytes.length - this.#position} bytes after the end of the model`)
  }

  /** Reads an array of scalars; unlike `array` it does not note each index, which costs time with millions. */
  #numbers(countMax: number, readOne: (index: number) => void): number {
    this.#open('array', openBracket)
    let count = 0
    for (; this.#next() !== closeBracket; count++) {
      if (count > 0) {
        this.#expect(comma, 'a comma or the end of the array')
        this.#next()
      }
      if (count === countMax) throw this.#error('too-many', `more than ${countMax} numbers in an array`)
      readOne(count)
    }
    this.#close()
    return count
  }

  #float32(): number {
    this.#expectKind('number', this.kind() === 'number')
    const start = this.#position
    const literal = this.#literal()
    if (literal !== null) return literal
    const end = this.#endOfNumber(start)
    const value = float32OfDecimal(this.#decimal(start, end), () => this.#text(start, end))
    if (!Number.isFinite(value)) throw this.#error('number-out-of-range', 'a number beyond the range of float32')
    return value
  }

  #flag(): number {
    if (this.kind() === 'number') {
      const value = this.number()
      if (value !== 0 && value !== 1) throw this.#error('wrong-type', `found ${value}, wanted 0 or 1`)
      return value
    }
    if (this.#word('true')) return 1
    if (this.#word('false')) return 0
    throw this.#error('wrong-type', `found ${this.kind()}, wanted false, true, 0 or 1`)
  }

  /** Reads NaN or an infinity; `null`, having read nothing, where the number is a decimal. */
  #literal(): number | null {
    if (this.#word('NaN')) return Number.NaN
    if (this.#word('Infinity')) return Number.POSITIVE_INFINITY
    return this.#word('-Infinity') ? Number.NEGATIVE_INFINITY : null
  }

  #endOfNumber(start: number): number {
    let end = start
    while (end < this.#bytes.length && isNumberByte(this.#bytes[end] as number)) end += 1
    if (end - start > numberBytesMax) throw this.#error('malformed', `a number of more than ${numberBytesMax} digits`)
    this.#position = end
    return end
  }

  /** Value of the decimal at `start .. end`; few digits with a small exponent need no text. */
  #decimal(start: number, end: number): number {
    const negative = this.#bytes[start] === minus
    let digits = 0
    let digitCount = 0
    let pointDigits = 0
    let i = negative ? start + 1 : start
    for (let afterPoint = false; i < end; i++) {
      const byte = this.#bytes[i] as number
      if (byte >= 0x30 && byte <= 0x39) {
        digits = digits * 10 + (byte - 0x30)
        digitCount += 1
        if (afterPoint) pointDigits += 1
      } else if (byte === 0x2e && !afterPoint && digitCount > 0) afterPoint = true
      else break
    }
    if (digitCount === 0 || digitCount > exactDigitsMax) return this.#slowDecimal(start, end)
    let exponent = 0
    if (i < end) {
      const mark = this.#bytes[i] as number
      if ((mark !== 0x65 && mark !== 0x45) || i + 1 === end) return this.#slowDecimal(start, end)
      const signed = this.#bytes[i + 1] as number
      const exponentStart = signed === minus || signed === 0x2b ? i + 2 : i + 1
      if (exponentStart === end || end - exponentStart > 2) return this.#slowDecimal(start, end)
      for (let k = exponentStart; k < end; k++) {
        const byte = this.#bytes[k] as number
        if (byte < 0x30 || byte > 0x39) return this.#slowDecimal(start, end)
        exponent = exponent * 10 + (byte - 0x30)
      }
      if (signed === minus) exponent = -exponent
    }
    exponent -= pointDigits
    if (exponent < -22 || exponent > 22) return this.#slowDecimal(start, end)
    const power = exactPowers[Math.abs(exponent)] as number
    const value = exponent < 0 ? digits / power : digits * power
    return negative ? -value : value
  }

  #slowDecimal(start: number, end: number): number {
    const text = this.#text(start, end)
    const value = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text) ? Number(text) : Number.NaN
    if (Number.isNaN(value))
      throw this.#error(end === this.#bytes.length ? 'truncated' : 'malformed', `"${text}" is not a number`)
    return value
  }

  #text(start: number, end: number): string {
    return String.fromCharCode(...this.#bytes.subarray(start, end))
  }

  #skipScalar(): void {
    const kind = this.kind()
    if (kind === 'number') this.number()
    else if (!(this.#word('true') || this.#word('false') || this.#word('null')))
      throw this.#error('malformed', 'a word that is none of true, false and null')
  }

  /** Reads a word if it stands here. */
  #word(word: string): boolean {
    for (let i = 0; i < word.length; i++) if (this.#bytes[this.#position + i] !== word.charCodeAt(i)) return false
    this.#position += word.length
    return true
  }

  #unescape(text: string): string {
    return text.replace(/\\(u[0-9a-fA-F]{4}|.|$)/g, (_, code: string) => {
      if (code.length === 5) return String.fromCharCode(Number.parseInt(code.slice(1), 16))
      const character = escapes[code]
      if (character === undefined) throw this.#error('malformed', `"\\${code}" is not an escape of JSON`)
      return character
    })
  }

  /** Place of the quote that ends the string which begins at `position`. */
  #endOfString(): number {
    let end = this.#position + 1
    while (end < this.#bytes.length && this.#bytes[end] !== quote) end += this.#bytes[end] === backslash ? 2 : 1
    if (end >= this.#bytes.length) {
      this.#position = this.#bytes.length
      throw this.#error('truncated', 'the file ends inside a string')
    }
    return end
  }

  /** Skips white space and returns the byte that is next, without taking it. */
  #next(): number {
    this.#skipSpace()
    if (this.#position >= this.#bytes.length) throw this.#error('truncated', 'the file ends before the model does')
    return this.#bytes[this.#position] as number
  }

  #skipSpace(): void {
    let byte = this.#bytes[this.#position]
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = this.#bytes[++this.#position]
  }

  #expect(wanted: number, what: string): void {
    const byte = this.#next()
    if (byte !== wanted) throw this.#error('malformed', `found ${nameOfByte(byte)}, wanted ${what}`)
    this.#position += 1
  }

  #expectKind(wanted: ValueKind, holds: boolean): void {
    if (!holds) throw this.#error('wrong-type', `found ${this.kind()}, wanted ${wanted}`)
  }

  #open(wanted: ValueKind, bracket: number): void {
    this.#expectKind(wanted, this.#next() === bracket)
    if (this.#place.depth >= limits.modelFileDepthMax)
      throw this.#error('too-deep', `values nested more than ${limits.modelFileDepthMax} deep`)
    this.#place.enter()
    this.#position += 1
  }

  #close(): void {
    this.#place.leave()
    this.#position += 1
  }

  #error(reason: ModelFileReason, problem: string): ModelFileError {
    return new ModelFileError(reason, problem, this.where, this.#position)
  }
}

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

function isNumberByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) || byte === minus || byte === 0x2e || byte === 0x65 || byte === 0x45 || byte === 0x2b
  )
}

function nameOfByte(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : `byte 0x${byte.toString(16).padStart(2, '0')}`
}

function grown<Values extends { set(from: Values): void }>(from: Values, into: Values): Values {
  into.set(from)
  return into
}
