import { statSync } from 'node:fs'
import type { Plan } from '@millwright/core'
import type { Door } from '@millwright/gateways'
import { readReadings, sourceIdOf } from '@millwright/gateways/files'
import { AppendQueue, type ResumableIngest } from './append-queue.ts'

/** What became of files that were ingested. */
export interface IngestResult {
  /** Lines that were appended now, refused ones included: those become dead letters. */
  readonly accepted: number
  readonly refused: number
  /** Files of which some was there already. */
  readonly resumed: readonly { readonly file: string; readonly fromPosition: number }[]
}

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
    const appends = new AppendQueue(ingest, id)
    for await (const chunk of readReadings(file, plan.csv, { startPosition: fromPosition, onProgress })) {
      if (signal?.aborted) break
      const admission = door.readings(chunk.bytes, chunk.positionAfter)
      accepted += admission.acceptedCount
      refused += admission.refusedCount
      await appends.add(admission, chunk.endPosition)
    }
    await appends.settled()
    if (signal?.aborted) break
    doneBytes += statSync(file).size
  }
  return { accepted, refused, resumed }
}
