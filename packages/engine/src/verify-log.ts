import type { Disk } from '@millwright/core'
import { LogCorruptError } from './errors.ts'
import { type FrameFault, fault } from './frame.ts'
import { type Frame, FrameReader } from './frame-reader.ts'
import { countLines } from './lines.ts'
import { placeFault, scanLog } from './log-scan.ts'
import { decodeOutputMark, decodeOutputRecords, isThrough, type OutputMark } from './output-record.ts'
import { listSegments, segmentPath } from './segment-names.ts'

/** Something that is not as it was written. */
export interface StoreProblem {
  readonly path: string
  /** Where in the file; 0 for the file as a whole. */
  readonly offsetBytes: number
  readonly problem: string
  /** What to do about it. */
  readonly advice: string
}

export interface LogReport {
  readonly segmentCount: number
  readonly recordCount: number
  readonly byteLength: number
  readonly tornBytes: number
  /** Offset after the last record, and the mark of the last output (`null` for other logs). */
  readonly endOffset: number
  readonly mark: OutputMark | null
  readonly problems: readonly StoreProblem[]
}

/** Checks every frame of a log, that segments follow each other, and that frames hold as many records as they say. */
export function verifyLog(disk: Disk, directory: string): LogReport {
  const problems: StoreProblem[] = []
  const bases = listSegments(disk, directory)
  let recordCount = 0
  let byteLength = 0
  for (const [index, base] of bases.slice(0, -1).entries()) {
    const path = segmentPath(directory, base)
    const checked = checkSegment(disk, path, base, bases[index + 1] as number)
    // Retention may have removed it since it was listed.
    if (checked === null) continue
    recordCount += checked.recordCount
    byteLength += checked.byteLength
    if (checked.problem !== null) problems.push(checked.problem)
  }
  const last = checkLast(disk, directory, bases.at(-1) ?? null)
  return {
    segmentCount: bases.length,
    recordCount: recordCount + last.recordCount,
    byteLength: byteLength + last.byteLength,
    tornBytes: last.tornBytes,
    endOffset: last.endOffset,
    mark: last.mark,
    problems: [...problems, ...last.problems],
  }
}

/** A segment that is not written to any more: whole from head to end, and ending where the next begins. */
function checkSegment(disk: Disk, path: string, base: number, next: number) {
  if (!disk.exists(path)) return null
  const file = disk.open(path, 'read')
  try {
    const byteLength = file.size()
    const reader = new FrameReader(file)
    const check = new LogCheck(base)
    let wrong: FrameFault | null = null
    while (wrong === null) {
      const frame = reader.next(byteLength)
      if (frame === null) break
      wrong = 'fault' in frame ? frame : check.add(frame)
    }
    if (wrong === null && check.offset !== next) wrong = fault('offset', String(next), String(check.offset))
    const problem = wrong === null ? null : problemOf(path, reader.positionBytes, wrong)
    return { recordCount: check.offset - base, byteLength, problem }
  } finally {
    file.close()
  }
}

function checkLast(disk: Disk, directory: string, base: number | null): LogReport {
  const problems: StoreProblem[] = []
  const nothing = { segmentCount: 0, recordCount: 0, byteLength: 0, tornBytes: 0, endOffset: 0, mark: null, problems }
  if (base === null) return nothing
  const path = segmentPath(directory, base)
  const checks: LogCheck[] = []
  try {
    const scan = scanLog(disk, directory, (frame) => {
      // A last segment that was never finished is left out: the scan then begins with the one before it.
      if (frame.startBytes === 0) checks.splice(0, checks.length, new LogCheck(frame.header.baseOffset))
      const wrong = checks[0]?.add(frame) ?? null
      if (wrong !== null) problems.push(problemOf(path, frame.startBytes, wrong))
    })
    const { end, tornBytes } = scan
    const recordCount = end.segment === base ? end.offset - base : 0
    const mark = checks[0]?.mark ?? null
    return { segmentCount: 1, recordCount, byteLength: end.bytes, tornBytes, endOffset: end.offset, mark, problems }
  } catch (error) {
    if (!(error instanceof LogCorruptError)) throw error
    const { offsetBytes } = error.details
    problems.push({ path, offsetBytes: Number(offsetBytes ?? 0), problem: error.message, advice })
    return { ...nothing, segmentCount: 1, endOffset: Number.POSITIVE_INFINITY }
  }
}

/** What must hold from frame to frame. */
class LogCheck {
  offset: number
  #appendTimeMs = 0
  #mark: OutputMark | null = null

  constructor(offset: number) {
    this.offset = offset
  }

  add(frame: Frame): FrameFault | null {
    const wrong = placeFault(frame, this.offset, this.#appendTimeMs) ?? this.#countFault(frame)
    this.offset = frame.header.baseOffset + frame.header.recordCount
    this.#appendTimeMs = frame.header.appendTimeMs
    return wrong
  }

  get mark(): OutputMark | null {
    return this.#mark
  }

  #countFault(frame: Frame): FrameFault | null {
    const { kind, recordCount } = frame.header
    if (kind === 'readings' || kind === 'device-events') {
      const found = countLines(frame.body)
      return found === recordCount ? null : fault('cut', `${recordCount} lines`, String(found))
    }
    if (kind !== 'outputs') return null
    let order: FrameFault | null = null
    const wrong = decodeOutputRecords(frame.body, recordCount, (record) => {
      if (isThrough(record, this.#mark)) order = fault('offset', 'outputs in order of input', `${record.inputOffset}`)
      this.#mark = { inputOffset: record.inputOffset, index: record.index }
    })
    const mark = decodeOutputMark(frame.extension)
    const isMarked = mark.inputOffset === this.#mark?.inputOffset && mark.index === this.#mark.index
    return wrong ?? order ?? (isMarked ? null : fault('offset', 'the mark of the last output', `${mark.inputOffset}`))
  }
}

const advice = 'Restore the file from a backup, or move it and the older segments of its folder away'

function problemOf(path: string, offsetBytes: number, wrong: FrameFault): StoreProblem {
  return { path, offsetBytes, problem: `the ${wrong.fault} must be ${wrong.expected}: found ${wrong.found}`, advice }
}
