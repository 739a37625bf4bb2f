export const newline = 0x0a
const carriageReturn = 0x0d

/** Bytes of the line break that ends `bytes[start .. end)`: 0, 1 (`\n`, or a lone `\r` at the end of the input) or 2 (`\r\n`). */
export function lineBreakBytes(bytes: Uint8Array, start: number, end: number): number {
  const textEnd = end > start && bytes[end - 1] === newline ? end - 1 : end
  return textEnd > start && bytes[textEnd - 1] === carriageReturn ? end - textEnd + 1 : end - textEnd
}
