import { statSync } from 'node:fs'
import { type IngestPort, MillwrightError, type Plan } from '@millwright/core'
import type { Door } from '@millwright/gateways'
import { readReadings, sourceIdOf } from '@millwright/gateways/files'

/** A plant that takes resumable sources. */
export interface ResumableIngest extends IngestPort {
  /** Place after the last line of the source that was acknowledged; 0 where it is not known. */
  sourcePosition(id: string): number
}

/** What became of files that were ingested. */
export interface IngestResult {
  /** Lines that were appended now, refused ones included: those become dead letters. */
  readonly accepted: number
  readonly refused: number
  /** Files of which some was there already. */
  readonly resumed: readonly { readonly file: string; readonly fromPosition: number }[]
}

/** Chunks of a file that may wait for the disk at once: enough that reading and syncing go on side by side. */
const chunksInFlightMax = 8

/**
 * Reads files into the durable log, one after the other, and returns when every line is on stable storage. A file that
 * was read before, wholly or in part, goes on where it stopped: no line enters twice.
 *
 * @param onProgress Told of bytes on disk read so far, of all files, and of lines.
 * @throws What reading or appending throws; what was acknowledged stays, and the next call goes on from there.
 */
export async function ingestFiles(options: {
  readonly plan: Plan
  readonly door: Door
  readonly ingest: ResumableIngest
  readonly files: readonly string[]
  readonly onProgress: (readBytes: number, lines: number) => void
  readonly signal?: AbortSignal
}): Promise<IngestResult> {
  const { plan, door, ingest, files, signal } = options
  const resumed: { file: string; fromPosition: number }[] = []
  let accepted = 0
  let refused = 0
  let doneBytes = 0
  for (const file of files) {
    const id = await sourceIdOf(file, (known) => ingest.sourcePosition(known) > 0)
    const fromPosition = ingest.sourcePosition(id)
    if (fromPosition > 0) resumed.push({ file, fromPosition })
    const onProgress = (readBytes: number): void => options.onProgress(doneBytes + readBytes, accepted + refused)
    const inFlight = new Set<Promise<void>>()
    for await (const chunk of readReadings(file, plan.csv, { startPosition: fromPosition, onProgress })) {
      if (signal?.aborted) break
      const admission = door.readings(chunk.bytes, chunk.positionAfter)
      await roomFor(ingest)
      const append = ingest.append('sensor-data', admission.parts, { id, position: chunk.endPosition })
      accepted += admission.acceptedCount
      refused += admission.refusedCount
      // A failure is thrown where the promise is awaited below; until then it must not count as unheard.
      append.catch(() => undefined)
      inFlight.add(append)
      if (inFlight.size >= chunksInFlightMax) {
        const [oldest] = inFlight
        if (oldest !== undefined) {
          await oldest
          inFlight.delete(oldest)
        }
      }
    }
    await Promise.all(inFlight)
    if (signal?.aborted) break
    doneBytes += statSync(file).size
  }
  return { accepted, refused, resumed }
}

/** Waits for room, and goes on waiting while the plant says that it is busy. */
async function roomFor(ingest: IngestPort): Promise<void> {
  for (;;) {
    try {
      await ingest.ready()
      return
    } catch (error) {
      if (!(error instanceof MillwrightError) || error.retry !== 'now') throw error
    }
  }
}
