import { statSync } from 'node:fs'
import {
  ConfigurationError,
  type ConfigurationProblem,
  type LoadedModel,
  limits,
  type PartitionOperator,
  type Plan,
} from '@millwright/core'
import { openLineFile, readFileLines, readingFileKind, readReadings } from '@millwright/gateways/files'

/** A replay as it was asked for. */
export interface ReplayInput {
  readonly plan: Plan
  readonly operator: PartitionOperator
  readonly model: LoadedModel | null
  /** Files of readings, in the order in which they are read. */
  readonly inputs: readonly string[]
  /** Files of device events, read before all readings, so that each window knows the events before its end. */
  readonly events: readonly string[]
  /** Told every few chunks, and at the end of each file: bytes on disk read so far, and readings. */
  readonly onProgress: (readBytes: number, readings: number) => void
}

/** How much of an uncompressed file is read at a time. Larger chunks were no faster. */
const chunkBytes = limits.frameBytesMax

/** Input between two reports of progress: some ten milliseconds' work, since all counters are gathered for each. */
const progressBytes = 16 * chunkBytes

/**
 * Bytes on disk of all the files, for a progress bar.
 *
 * @throws {ConfigurationError} Naming each that is not there: before any work is begun.
 */
export function totalBytesOf(files: readonly string[]): number {
  let total = 0
  const problems: ConfigurationProblem[] = []
  for (const file of files) {
    const size = statSync(file, { throwIfNoEntry: false })
    if (size?.isFile()) total += size.size
    else
      problems.push({
        field: 'input',
        found: size === undefined ? `${file}, which does not exist` : `${file}, which is no file`,
        wanted: 'a file that may be read',
      })
  }
  if (problems.length > 0) throw new ConfigurationError('An input cannot be read.', problems)
  return total
}

/**
 * Runs files through the operator as one bounded input: no log, no append time, so silence and the future guard are off,
 * and all windows are closed at the end. Offsets are the places of lines in the files taken one after another.
 */
export async function runReplay(input: ReplayInput): Promise<void> {
  const { operator } = input
  if (input.model !== null)
    operator.activate({ model: input.model, activeFromMs: Number.NEGATIVE_INFINITY, seenAtMs: Number.NaN }, 0)
  let baseOffset = 0
  let doneBytes = 0
  const readings = (): number => operator.counters['readings_in_total'] ?? 0

  for (const file of input.events) {
    for await (const { bytes, endPosition } of readFileLines(file)) {
      operator.deviceEvents(bytes, baseOffset, Number.NaN)
      baseOffset += endPosition
    }
    doneBytes += statSync(file).size
    input.onProgress(doneBytes, 0)
  }

  for (const file of input.inputs) {
    const startOffset = baseOffset
    if (readingFileKind(file) === 'ndjson' && !file.toLowerCase().endsWith('.gz')) {
      // The hot path: the file is read straight into the decoder's memory.
      const lines = openLineFile(file, { chunkBytes })
      let toldBytes = 0
      try {
        for (;;) {
          const offset = startOffset + lines.position
          const byteLength = lines.readInto((length) => operator.input(length))
          if (byteLength === 0) break
          operator.readingsInput(byteLength, offset, Number.NaN)
          if (lines.position < toldBytes + progressBytes) continue
          toldBytes = lines.position
          input.onProgress(doneBytes + toldBytes, readings())
        }
        input.onProgress(doneBytes + lines.position, readings())
        baseOffset = startOffset + lines.position
      } finally {
        lines.close()
      }
    } else {
      let position = 0
      const onProgress = (readBytes: number): void => input.onProgress(doneBytes + readBytes, readings())
      for await (const { bytes, endPosition } of readReadings(file, input.plan.csv, { onProgress })) {
        operator.readings(bytes, startOffset + position, Number.NaN)
        position = endPosition
      }
      baseOffset = startOffset + position
    }
    doneBytes += statSync(file).size
  }
  operator.endOfInput(baseOffset)
  operator.flush()
}
