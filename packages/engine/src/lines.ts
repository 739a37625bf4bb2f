const newline = 10

/** Returns where the byte after the `lineCount`-th newline is; the end of the bytes where there are fewer. */
export function lineEnd(bytes: Uint8Array, lineCount: number): number {
  let at = 0
  for (let line = 0; line < lineCount; line++) {
    const end = bytes.indexOf(newline, at)
    if (end === -1) return bytes.length
    at = end + 1
  }
  return at
}

/** Counts lines; a last one without a newline is a line. */
export function countLines(bytes: Uint8Array): number {
  let lineCount = 0
  let at = 0
  while (at < bytes.length) {
    lineCount += 1
    const end = bytes.indexOf(newline, at)
    if (end === -1) break
    at = end + 1
  }
  return lineCount
}

/**
 * Returns as many whole lines from the head as fit `bytesMax`; the first one whatever its length.
 *
 * @param lineCount Lines in all of `bytes`: so only the shorter side of the cut has to be counted.
 */
export function firstLines(
  bytes: Uint8Array,
  bytesMax: number,
  lineCount: number,
): { byteLength: number; lineCount: number } {
  const cut = bytes.length <= bytesMax ? bytes.length : bytes.lastIndexOf(newline, bytesMax - 1) + 1
  const byteLength = cut === 0 ? lineEnd(bytes, 1) : cut
  const isLong = 2 * byteLength > bytes.length
  return {
    byteLength,
    lineCount: isLong ? lineCount - countLines(bytes.subarray(byteLength)) : countLines(bytes.subarray(0, byteLength)),
  }
}
