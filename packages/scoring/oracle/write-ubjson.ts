/** Numbers of one kind, which XGBoost writes as a typed array. */
export type TypedNumbers = Float32Array | Int32Array | Uint8Array

/**
 * Writes a value as XGBoost writes UBJSON: lengths as int64, arrays counted, typed arrays typed. For tests: the product
 * only reads it.
 */
export function writeUbjson(value: unknown): Uint8Array {
  const parts: number[] = []
  const text = (string: string): void => {
    const bytes = new TextEncoder().encode(string)
    length(bytes.length)
    for (const byte of bytes) parts.push(byte)
  }
  const length = (count: number): void => {
    parts.push(0x4c, 0, 0, 0, 0, (count >>> 24) & 255, (count >>> 16) & 255, (count >>> 8) & 255, count & 255)
  }
  const big = (bytes: number, set: (view: DataView) => void): void => {
    const view = new DataView(new ArrayBuffer(bytes))
    set(view)
    for (let i = 0; i < bytes; i++) parts.push(view.getUint8(i))
  }
  const write = (item: unknown): void => {
    if (item === null) parts.push(0x5a)
    else if (item === true || item === false) parts.push(item ? 0x54 : 0x46)
    else if (typeof item === 'string') {
      parts.push(0x53)
      text(item)
    } else if (typeof item === 'number') {
      if (Number.isInteger(item) && Math.abs(item) < 2 ** 31) {
        parts.push(0x6c)
        big(4, (view) => view.setInt32(0, item))
      } else {
        parts.push(0x44)
        big(8, (view) => view.setFloat64(0, item))
      }
    } else if (item instanceof Float32Array || item instanceof Int32Array || item instanceof Uint8Array) {
      const marker = item instanceof Float32Array ? 0x64 : item instanceof Int32Array ? 0x6c : 0x55
      parts.push(0x5b, 0x24, marker, 0x23)
      length(item.length)
      for (const number of item) {
        if (item instanceof Float32Array) big(4, (view) => view.setFloat32(0, number))
        else if (item instanceof Int32Array) big(4, (view) => view.setInt32(0, number))
        else parts.push(number)
      }
    } else if (Array.isArray(item)) {
      parts.push(0x5b, 0x23)
      length(item.length)
      for (const element of item) write(element)
    } else {
      parts.push(0x7b)
      for (const [name, field] of Object.entries(item as Record<string, unknown>)) {
        text(name)
        write(field)
      }
      parts.push(0x7d)
    }
  }
  write(value)
  return Uint8Array.from(parts)
}
