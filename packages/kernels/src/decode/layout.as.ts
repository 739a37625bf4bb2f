/**
 * Where everything lies in the memory of the decode kernel. Addresses are bytes from its start.
 *
 * | from         | what                                                                                      |
 * |--------------|-------------------------------------------------------------------------------------------|
 * | 0            | one page left free for the static data of other kernels that share the memory             |
 * | 0x10000      | number tables, the names that are looked for, the marks of the scanned line                |
 * | 0x12000      | templates                                                                                 |
 * | after them   | rows the kernel left undecided, then the columns, one value a row                          |
 * | after those  | (after the last channel in use) regions that the loader hands out: names, devices, input   |
 *
 * Everything before `channelColumns + channelCount × channelColumnStride` stays where it is for good, so that another
 * kernel over the same memory may read the columns by address.
 */

/** Rows that one call of `decodeLines` fills at most. */
export const rowsMax: u32 = 4096

/** Bytes between two columns beyond their values: without it all would compete for the same lines of the first-level cache. */
const columnPadding: usize = 128
const column4Bytes: usize = <usize>rowsMax * 4 + columnPadding
const column8Bytes: usize = <usize>rowsMax * 8 + columnPadding

/** float64 10^0 … 10^22, all exact. Filled by the loader. */
export const exactPowers: usize = 0x10000

/** 128-bit powers of ten from 10^-60 to 10^60, low half first, the top bit set, rounded down. Filled by the loader. */
export const widePowers: usize = exactPowers + 192
export const widePowerMax: i32 = 60

/** 16 bytes of ones, then 16 of zeros: read at `16 - n` it keeps the first n bytes of a block. Filled by the loader. */
export const prefixMask: usize = widePowers + 121 * 16

/** Room to put one device id that is looked up from outside, with space to be read in blocks of 16. */
export const idScratch: usize = prefixMask + 32
const idScratchBytes: usize = 512

/** (address, length) of the UTF-8 name of each field looked for: the device id, the timestamp, then the channels. */
export const fieldNames: usize = idScratch + idScratchBytes
export const channelsMax: u32 = 128
export const fieldDeviceId: u32 = 0
export const fieldTimestamp: u32 = 1
export const fieldFirstChannel: u32 = 2
const fieldsMax: u32 = channelsMax + fieldFirstChannel

/** Values met in the line scanned last: (kind, start, end), from which a template is made. */
export const marks: usize = fieldNames + <usize>fieldsMax * 8
export const markBytes: usize = 12
export const marksMax: u32 = 256

/** Addresses of the templates, the one used last first. */
export const templateOrder: usize = marks + <usize>marksMax * markBytes
export const templatesMax: u32 = 4
export const templates: usize = 0x12000
export const templateBytes: usize = 0x4000

/** Row numbers that the kernel left to the plain path in the last call, ascending. */
export const undecidedRows: usize = templates + <usize>templatesMax * templateBytes

/** int32: index of the device, `deviceOfBlankLine` or `deviceUndecided`. */
export const deviceColumn: usize = undecidedRows + column4Bytes
/** uint32 each: the line's own bytes, without the newline and a carriage return before it. */
export const lineStartColumn: usize = deviceColumn + column4Bytes
export const lineEndColumn: usize = lineStartColumn + column4Bytes
/** float64: epoch milliseconds. */
export const timestampColumn: usize = lineEndColumn + column4Bytes
/** float64: channel k is at `channelColumns + k × channelColumnStride`. */
export const channelColumns: usize = timestampColumn + column8Bytes
export const channelColumnStride: usize = column8Bytes

/** In `deviceColumn`: the line is empty or blank. */
export const deviceOfBlankLine: i32 = -2
/** In `deviceColumn`: the kernel accepts no reading here; also what the directory answers for an id it does not have. */
export const deviceUndecided: i32 = -1

/** Bytes past the end of the input that are read (never used), in blocks of 16. */
export const readAheadBytes: usize = 64
