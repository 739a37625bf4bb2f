/** A constant of the kernel: an address, a size or a count. */
interface Constant {
  readonly value: number
}

/** What `decode.as.ts` exports; described there and in `decode/`. */
export interface DecodeExports {
  readonly rowsMax: Constant
  readonly channelsMax: Constant
  readonly readAheadBytes: Constant

  readonly exactPowers: Constant
  readonly widePowers: Constant
  readonly widePowerMax: Constant
  readonly prefixMask: Constant
  readonly fieldNames: Constant
  readonly idScratch: Constant

  readonly undecidedRows: Constant
  readonly deviceColumn: Constant
  readonly lineStartColumn: Constant
  readonly lineEndColumn: Constant
  readonly timestampColumn: Constant
  readonly channelColumns: Constant
  readonly channelColumnStride: Constant

  configure(
    channelCount: number,
    timestampWanted: boolean,
    acceptedFromMs: number,
    acceptedBeforeMs: number,
    deviceIdBytesMax: number,
    lineBytesMax: number,
    nestingMax: number,
  ): void
  decodeLines(start: number, end: number, mayAddDevices: boolean): number
  undecidedCountNow(): number
  decodedEndNow(): number

  deviceCountNow(): number
  deviceIndexOf(id: number, length: number, mayAdd: boolean): number
  deviceIdLength(index: number): number
  deviceIdAddress(index: number): number
  removeDevice(index: number): number
  hasRoomForId(length: number): number
  longIdBytesInUse(): number
  moveDevices(keys: number, followers: number, capacity: number, slots: number, slotCount: number): void
  moveLongIds(longIds: number, capacity: number): void
}
