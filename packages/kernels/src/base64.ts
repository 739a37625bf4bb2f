const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Decodes base64 with padding (RFC 4648 section 4). For the kernels' own embedded bytes: the text is taken to be well-formed. */
export function bytesOfBase64(text: string): Uint8Array {
  const values = new Uint8Array(128)
  for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = new Uint8Array((text.length / 4) * 3)
  let length = 0
  for (let i = 0; i < text.length; i += 4) {
    const digit = (k: number): number => values[text.charCodeAt(i + k)] as number
    const bits = (digit(0) << 18) | (digit(1) << 12) | (digit(2) << 6) | digit(3)
    bytes[length++] = bits >> 16
    bytes[length++] = bits >> 8
    bytes[length++] = bits
  }
  return bytes.subarray(0, bytes.length - padding)
}
