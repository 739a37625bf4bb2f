import type { Disk, DiskFile } from '@millwright/core'
import { LogCorruptError } from './errors.ts'
import { decodeFrameHeader, type FrameFault, fault, frameMagic, isFrameFault } from './frame.ts'
import { type Frame, FrameReader } from './frame-reader.ts'
import { type LogPosition, listSegments, segmentName, segmentPath } from './segment-names.ts'

/** What a log holds, found without changing it. */
export interface LogScan {
  /** Base offsets of the segments that are whole as files, ascending. */
  readonly segments: readonly number[]
  /** After the last whole frame. */
  readonly end: LogPosition
  readonly lastAppendTimeMs: number
  /** Bytes behind `end` that are no whole frame; the owner cuts them off. */
  readonly tornBytes: number
  /** Why they are none; `null` when there are none. */
  readonly tornFault: FrameFault | null
  /** A last segment whose creation was cut short: it has no head. The owner takes it away. */
  readonly unbornSegment: number | null
}

const nothing: LogScan = {
  segments: [],
  end: { segment: 0, bytes: 0, offset: 0 },
  lastAppendTimeMs: 0,
  tornBytes: 0,
  tornFault: null,
  unbornSegment: null,
}

/**
 * Reads the last segment of a log whole, checks it, and calls `visit` for each frame, the head first.
 *
 * A tail that was not on stable storage may be torn; anything else that cannot be read is damage (F3).
 *
 * @throws {LogCorruptError} With the segment, the byte, what was expected and found.
 */
export function scanLog(disk: Disk, directory: string, visit?: (frame: Frame) => void): LogScan {
  const segments = listSegments(disk, directory)
  const last = segments.at(-1)
  if (last === undefined) return nothing
  const scan = scanSegment(disk, directory, last, visit)
  if (scan.end.bytes > 0) return { ...scan, segments }
  // Without a head nothing was ever acknowledged from this segment: the one before it is the last.
  const before = segments.at(-2)
  if (before === undefined && last > 0)
    throw corrupt(directory, last, 0, scan.tornFault ?? fault('cut', 'the head of the oldest segment', 'nothing'))
  const earlier = before === undefined ? nothing : scanSegment(disk, directory, before, visit)
  if (before !== undefined && (earlier.end.offset !== last || earlier.tornBytes > 0))
    throw corrupt(directory, before, earlier.end.bytes, earlier.tornFault ?? unlinked(last, earlier.end.offset))
  return { ...earlier, segments: segments.slice(0, -1), tornBytes: scan.tornBytes, unbornSegment: last }
}

/** @throws {LogCorruptError} When records before `offset`, which were once on stable storage, are not in the log. */
export function requireThrough(directory: string, scan: LogScan, offset: number): void {
  if (scan.end.offset >= offset) return
  const missing = scan.tornFault ?? fault('cut', `records up to offset ${offset}`, `the end at ${scan.end.offset}`)
  throw corrupt(directory, scan.end.segment, scan.end.bytes, missing)
}

/** The error for a frame that cannot be believed. */
export function corrupt(directory: string, segment: number, offsetBytes: number, found: FrameFault): LogCorruptError {
  const path = segmentPath(directory, segment)
  return new LogCorruptError(
    `Cannot read "${path}" at byte ${offsetBytes} as the ${found.fault} must be ${found.expected}: found ${found.found}. ` +
      'Nothing was changed. Restore the file from a backup, or move it away with the older ones of its folder',
    {
      details: {
        path,
        segment: segmentName(segment),
        offsetBytes,
        fault: found.fault,
        expected: found.expected,
        found: found.found,
      },
    },
  )
}

/** What is wrong with a believable frame at its place in a log; `null` when nothing is. */
export function placeFault(frame: Frame, offset: number, lastAppendTimeMs: number): FrameFault | null {
  const { baseOffset, appendTimeMs } = frame.header
  if (baseOffset !== offset) return fault('offset', String(offset), String(baseOffset))
  if (appendTimeMs < lastAppendTimeMs) return fault('append-time', `>= ${lastAppendTimeMs}`, String(appendTimeMs))
  return null
}

function scanSegment(disk: Disk, directory: string, segment: number, visit?: (frame: Frame) => void): LogScan {
  const file = disk.open(segmentPath(directory, segment), 'read')
  try {
    const sizeBytes = file.size()
    const reader = new FrameReader(file)
    let bytes = 0
    let offset = segment
    let lastAppendTimeMs = 0
    let wrong: FrameFault | null = null
    for (;;) {
      const frame = reader.next(sizeBytes)
      if (frame === null) break
      wrong = 'fault' in frame ? frame : placeFault(frame, offset, lastAppendTimeMs)
      if (wrong === null && !('fault' in frame)) {
        if (bytes === 0 && frame.header.kind !== 'log-state') wrong = fault('kind', 'log-state', frame.header.kind)
        else {
          visit?.(frame)
          bytes = frame.endBytes
          offset += frame.header.recordCount
          lastAppendTimeMs = frame.header.appendTimeMs
        }
      }
      if (wrong === null) continue
      if (syncedFrameBehind(file, bytes, sizeBytes)) throw corrupt(directory, segment, bytes, wrong)
      break
    }
    return {
      segments: [segment],
      end: { segment, bytes, offset },
      lastAppendTimeMs,
      tornBytes: sizeBytes - bytes,
      tornFault: wrong,
      unbornSegment: null,
    }
  } finally {
    file.close()
  }
}

/** Whether a frame that was written after everything before it was on stable storage begins behind `startBytes` (F3). */
function syncedFrameBehind(file: DiskFile, startBytes: number, sizeBytes: number): boolean {
  const rest = Buffer.allocUnsafeSlow(sizeBytes - startBytes)
  let filled = 0
  while (filled < rest.length) {
    const readBytes = file.read(rest.subarray(filled), startBytes + filled)
    if (readBytes === 0) break
    filled += readBytes
  }
  for (let at = rest.indexOf(frameMagic, 1); at !== -1; at = rest.indexOf(frameMagic, at + 1)) {
    const header = decodeFrameHeader(rest.subarray(0, filled), at)
    if (!isFrameFault(header) && header.syncedBefore) return true
  }
  return false
}

function unlinked(expected: number, found: number): FrameFault {
  return fault('offset', String(expected), String(found))
}
