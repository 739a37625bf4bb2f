/** Bytes that all requests in flight may hold together. */
export interface ByteBudget {
  /** Takes bytes if there are so many left; returns whether there were. */
  take(byteLength: number): boolean
  /** Gives back what was taken. */
  give(byteLength: number): void
  readonly takenBytes: number
}

/** @param bytesMax Of all takers together. */
export function createByteBudget(bytesMax: number): ByteBudget {
  let takenBytes = 0
  return {
    take(byteLength) {
      if (takenBytes + byteLength > bytesMax) return false
      takenBytes += byteLength
      return true
    },
    give(byteLength) {
      takenBytes -= byteLength
    },
    get takenBytes() {
      return takenBytes
    },
  }
}
