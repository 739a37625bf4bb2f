import type { Disk } from '@millwright/core'
import { decodeFrameHeader, frameHeaderBytes, isFrameFault } from './frame.ts'

/** A place in a log: the segment (by the offset of its first record), the bytes into it, the offset of the next record. */
export interface LogPosition {
  readonly segment: number
  readonly bytes: number
  readonly offset: number
}

const suffix = '.mwlog'

/** Name of the file of a segment: the offset of its first record in 16 digits, so that names sort as offsets do. */
export function segmentName(baseOffset: number): string {
  return `${String(baseOffset).padStart(16, '0')}${suffix}`
}

/** Path of a segment's file. */
export function segmentPath(directory: string, baseOffset: number): string {
  return `${directory}/${segmentName(baseOffset)}`
}

/** Base offsets of the segments in a folder, ascending; none where there is no such folder. Other files are not looked at. */
export function listSegments(disk: Disk, directory: string): number[] {
  return disk
    .list(directory)
    .filter((name) => name.length === 16 + suffix.length && name.endsWith(suffix))
    .map((name) => Number(name.slice(0, 16)))
    .filter(Number.isSafeInteger)
    .sort((a, b) => a - b)
}

/** Append time in the head of a segment, epoch milliseconds: of the last record before it. `null` when it cannot be read. */
export function headTimeMs(disk: Disk, directory: string, base: number): number | null {
  const file = disk.open(segmentPath(directory, base), 'read')
  try {
    const bytes = Buffer.alloc(frameHeaderBytes)
    file.read(bytes, 0)
    const header = decodeFrameHeader(bytes, 0)
    return isFrameFault(header) ? null : header.appendTimeMs
  } finally {
    file.close()
  }
}
