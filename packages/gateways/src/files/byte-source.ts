/** The bytes of one file in order, decompressed where the file is compressed. */
export interface ByteSource {
  /** Fills the front of `into`; returns how many bytes, 0 only at the end. One call at a time. */
  read(into: Uint8Array): Promise<number>
  /** Bytes of the file on disk that were read so far: for a compressed file, compressed bytes. */
  readonly diskPositionBytes: number
  /** Size of the file on disk when it was opened. */
  readonly diskBytes: number
  readonly compressed: boolean
  close(): Promise<void>
}
