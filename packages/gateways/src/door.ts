import { assert, limits, partitionOf, type ReadingBatch, type ReadingDecoder, rowEmpty } from '@millwright/core'
import type { Admission, PositionAfter, RefusedLine } from './door/admission.ts'
import { admitDeviceEvents } from './door/device-events.ts'
import { createPartitionWriter, type PartitionWriter } from './door/partition-writer.ts'
import { createMemoryPool } from './memory-pool.ts'

/**
 * The door of the plant: every gateway hands what it received through here. Sorts lines into partitions by their device
 * and says which of them are no readings.
 *
 * D1 The log gets every line but blank ones as it came (without a carriage return at its end), in order within its
 *    partition: dead letters are made from the log alone, so that they are a function of it.
 * D2 A line goes to the partition of its device (`partitionOf`); a line that is no reading goes to partition 0.
 * D3 A line longer than `lineBytesMax` is cut to one byte more: it is refused at the door and again by the operators.
 * D4 The directory of device ids never refuses a device: before it can be full it is emptied. Which devices a plant takes
 *    is for the operators to say.
 */
export interface Door {
  /**
   * Decodes and sorts one delivery of newline-separated JSON readings; a final newline is optional.
   *
   * @param positionAfter For a resumable source: makes `linePositions` of the parts.
   */
  readings(bytes: Uint8Array, positionAfter?: PositionAfter): Admission
  /** The same for device events. */
  deviceEvents(bytes: Uint8Array): Admission
}

export interface DoorOptions {
  /** The door's own: it empties the directory (D4). */
  readonly decoder: ReadingDecoder
  /** Devices that the decoder's directory holds, 2 or more. */
  readonly devicesMax: number
  readonly partitionCount: number
}

const newline = 10
/** No reading is shorter than `{"deviceId":"a","t":1}` and its newline. */
const readingBytesMin = 23
const partitionUnknown = 255

/** Makes a door; one per thread. */
export function createDoor({ decoder, devicesMax, partitionCount }: DoorOptions): Door {
  // D4: bytes are decoded in pieces that cannot hold more new devices than there is room for.
  const pieceDevicesMax = Math.max(1, Math.floor(devicesMax / 2))
  const pieceBytes = pieceDevicesMax * readingBytesMin
  const memory = createMemoryPool()
  const known = new Int32Array(devicesMax)
  let knownCount = 0
  let partitionOfIndex = new Uint8Array(Math.min(devicesMax, 1024)).fill(partitionUnknown)

  function partitionOfDevice(index: number): number {
    if (index >= partitionOfIndex.length) {
      const grown = new Uint8Array(2 * index + 1).fill(partitionUnknown)
      grown.set(partitionOfIndex)
      partitionOfIndex = grown
    }
    const partition = partitionOfIndex[index] as number
    if (partition !== partitionUnknown) return partition
    known[knownCount++] = index
    const found = partitionOf(decoder.deviceId(index), partitionCount)
    partitionOfIndex[index] = found
    return found
  }

  function makeRoom(): void {
    if (knownCount + pieceDevicesMax <= devicesMax) return
    decoder.forget(known.slice(0, knownCount))
    partitionOfIndex.fill(partitionUnknown)
    knownCount = 0
  }

  return {
    readings(bytes, positionAfter) {
      const writer = createPartitionWriter(partitionCount, bytes.length, memory)
      const positions = positionAfter === undefined ? null : linePositions(bytes, positionAfter)
      const sorter = createSorter(partitionOfDevice, writer, positions)
      for (let start = 0; start < bytes.length; ) {
        const end = pieceEnd(bytes, start, pieceBytes)
        makeRoom()
        decoder.decode(bytes.subarray(start, end), sorter.addBatch)
        start = end
      }
      return sorter.admission()
    },
    deviceEvents: (bytes) => admitDeviceEvents(bytes, partitionCount, memory),
  }
}

/** Where a piece of whole lines ends: at most `pieceBytes` long, or one line. */
function pieceEnd(bytes: Uint8Array, start: number, pieceBytes: number): number {
  if (bytes.length - start <= pieceBytes) return bytes.length
  const last = bytes.lastIndexOf(newline, start + pieceBytes - 1)
  if (last >= start) return last + 1
  const first = bytes.indexOf(newline, start + pieceBytes)
  return first < 0 ? bytes.length : first + 1
}

/** Sorts the rows of the batches of one delivery into runs. */
function createSorter(
  partitionOfDevice: (index: number) => number,
  writer: PartitionWriter,
  positions: (() => number) | null,
) {
  const refused: RefusedLine[] = []
  let refusedCount = 0
  let acceptedCount = 0
  let lineCount = 0

  function addRefusals(batch: ReadingBatch): void {
    refusedCount += batch.refusals.length
    for (const { row, reason, message } of batch.refusals) {
      if (refused.length >= limits.refusalsReportedMax) return
      assert(reason !== 'devices-max', 'the directory of the door holds as many devices as it was said to (D4)')
      refused.push({ line: lineCount + row + 1, reason, message })
    }
  }

  function addRows({ rowCount, device, lineStart, lineEnd, bytes }: ReadingBatch): void {
    let runPartition = 0
    let runStart = 0
    let runEnd = 0
    let runLines = 0
    for (let row = 0; row < rowCount; row++) {
      const position = positions === null ? 0 : positions()
      const index = device[row] as number
      if (index === rowEmpty) continue
      if (index >= 0) acceptedCount += 1
      const partition = index >= 0 ? partitionOfDevice(index) : 0
      const start = lineStart[row] as number
      const end = Math.min(lineEnd[row] as number, start + limits.lineBytesMax + 1)
      // Only the newline lies between; after a blank line, a carriage return or a cut (D3) the bytes do not follow on.
      if (runLines > 0 && partition === runPartition && start === runEnd + 1) {
        runLines += 1
      } else {
        if (runLines > 0) writer.addRun(runPartition, bytes, runStart, runEnd, runLines)
        runPartition = partition
        runStart = start
        runLines = 1
      }
      runEnd = end
      if (positions !== null) writer.addPosition(partition, position)
    }
    if (runLines > 0) writer.addRun(runPartition, bytes, runStart, runEnd, runLines)
  }

  return {
    addBatch(batch: ReadingBatch): void {
      addRefusals(batch)
      addRows(batch)
      lineCount += batch.rowCount
    },
    admission: (): Admission => ({
      parts: writer.parts(),
      acceptedCount,
      refusedCount,
      refused,
      release: writer.release,
    }),
  }
}

/** Answers the place in the source after one line of a delivery after the other. */
function linePositions(bytes: Uint8Array, positionAfter: PositionAfter): () => number {
  let line = 0
  let endByte = 0
  return () => {
    const end = bytes.indexOf(newline, endByte)
    endByte = end < 0 ? bytes.length : end + 1
    return positionAfter(line++, endByte)
  }
}
