/**
 * Where the fields of a device's record, of a window's record and of the fold's header stand: one statement for the kernel, its plain
 * twin and the operators. AssemblyScript reads this file too, so it holds nothing but whole numbers.
 *
 * A *float field* f is the float64 at byte 8·f of its record, an *int field* i the int32 at byte 4·i: int fields 2·f and 2·f + 1
 * overlay float field f. What the fields mean, and what always holds of them, is said by those who keep the records: `DeviceTable`
 * and `WindowStore` of the operators.
 */

// ---- a device's record ----

/** Float fields. */
export const clock = 0
export const lastAppend = 1
export const fastUntil = 2
export const emittedEnd = 3

/** Int fields. */
export const flags = 8
export const currentSlot = 9
export const firstSlot = 10
export const ringCount = 11
export const wheelNext = 12
export const dirtyNext = 13
export const ring = 16

/** Float fields before the ring. */
export const deviceHeaderFloats = 8

export const flagExists = 1
export const flagDirty = 2
export const flagSilent = 4
export const flagWaiting = 8
export const flagFiled = 16

/** Hashes that the ring holds; a power of two. */
export const ringReadings = 16

// ---- a window's record ----

/** Float fields. */
export const windowStart = 0
export const windowEnd = 1
export const windowReadings = 2
export const emittedStart = 3

/** Int fields. */
export const nextSlot = 8
export const emissions = 9
export const windowFlags = 10

/** Float fields before the accumulators. */
export const windowHeaderFloats = 6

// ---- what a window keeps of a channel ----

export const partCount = 1
/** Neumaier sum of the raw values: sum, compensation. */
export const partSum = 2
/** Origin (the window's first value), then mean and second central moment of the values minus the origin. */
export const partMoment2 = 4
export const partMoment3 = 8
export const partMoment4 = 16
/** First timestamp; mean and second central moment of the times since it; co-moment of time and value. */
export const partSlope = 32
/** Minimum, maximum. */
export const partExtremes = 64
/** Timestamp and value of the earliest. */
export const partFirst = 128
/** Timestamp and value of the latest. */
export const partLast = 256

// ---- the header: int fields ----

/** Bytes from the start of the memory to the column of devices. */
export const headerDevices = 0
/** To the column of timestamps; that of channel k is (k + 1) · `headerColumnBytes` behind it. */
export const headerColumns = 1
export const headerColumnBytes = 2
/** Columns that are hashed: timestamps and all channels. */
export const headerColumnCount = 3
/** To the column of window slots. */
export const headerSlots = 4
/** To the directory of device blocks: the byte address of each as an int. */
export const headerDirectory = 5
/** Bytes of one device's record. */
export const headerDeviceBytes = 6
/** Devices with a record: those from this index on have none. */
export const headerDeviceEnd = 7
/** To the cleaning rules: int field 0 is the address of the rule's column, float fields 1 and 2 are its limits. */
export const headerRules = 8
export const headerRuleCount = 9
/** To the accumulators: int fields column address, parts, bytes from the start of a window's record. */
export const headerAccumulators = 10
export const headerAccumulatorCount = 11
/** Windows that a reading in order is in: those from its device's `currentSlot` on. */
export const headerWindowsPerReading = 12
/** 1 where event time is append time: nothing is hashed then, and times may be equal. */
export const headerArrival = 13
/** First and last of the devices that became dirty, in that order; −1 for none. `dirtyNext` leads from each to the next. */
export const headerDirtyFirst = 14
export const headerDirtyLast = 15
/** To the append times, and the bytes from one row's to the next's: 0 where all rows have the same. */
export const headerAppendTimes = 16
export const headerAppendTimeStep = 17
/** To the hashes of rows, two int32 each. */
export const headerHashes = 18

/** The header's float fields. */
export const headerMaxJumpMs = 10
export const headerMaxClockAheadMs = 11
export const headerSilentAfterMs = 12
/** Append time of all rows, where they have the same. */
export const headerAppendTimeMs = 13

export const headerBytes = 112

export const ruleBytes = 24
export const accumulatorBytes = 12

/** Rows of a batch. Columns have a few more: for readings taken one at a time, and since rows are hashed by fours. */
export const foldRowsMax = 4096
export const foldSpareRows = 8

/** A block holds the records of so many devices, a power of two, and this is its shift. */
export const blockDevices = 4096
export const blockShift = 12
