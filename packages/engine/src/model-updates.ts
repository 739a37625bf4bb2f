import type { Disk, ModelUpdate } from '@millwright/core'
import { encodeFrame } from './frame.ts'
import { LogCursor, oldestPosition } from './log-cursor.ts'
import { type LogScan, scanLog } from './log-scan.ts'
import { SegmentedLog } from './segmented-log.ts'

/** A publish or rollback as the log has it. */
export interface PublishedModel extends ModelUpdate {
  /** Offset in the log of model updates. */
  readonly offset: number
  /** When it was published, epoch milliseconds. */
  readonly publishedAtMs: number
}

/**
 * The log of model updates: one partition, one record per publish, kept for good. What is in it is published; each
 * partition's input log then gets an activation, at the next start at the latest.
 */
export class ModelUpdates {
  readonly #log: SegmentedLog
  #published: readonly PublishedModel[]

  constructor(
    disk: Disk,
    directory: string,
    scan: LogScan,
    published: readonly PublishedModel[],
    segmentBytesMax: number,
  ) {
    this.#log = new SegmentedLog(disk, directory, scan, { segmentBytesMax, head: () => Buffer.from('{}') })
    this.#published = published
  }

  /** In order of publication; the offset of each is its place in the list. */
  get published(): readonly PublishedModel[] {
    return this.#published
  }

  /** Resolves when the update is durable. @throws {DiskFullError | DiskFailedError} It is then not published. */
  async append(update: ModelUpdate, nowMs: number): Promise<PublishedModel> {
    this.#log.recover()
    const offset = this.#log.end.offset
    const publishedAtMs = Math.max(Math.floor(nowMs), this.#log.lastAppendTimeMs)
    const header = {
      kind: 'model-update',
      syncedBefore: false,
      baseOffset: offset,
      appendTimeMs: publishedAtMs,
      recordCount: 1,
    } as const
    try {
      this.#log.append(encodeFrame(header, new Uint8Array(0), Buffer.from(JSON.stringify(update))), 1, publishedAtMs)
      await this.#log.sync()
    } catch (error) {
      // The next publish tries again when this fails too.
      tryQuietly(() => this.#log.recover())
      throw error
    }
    const published = { ...update, offset, publishedAtMs }
    this.#published = [...this.#published, published]
    return published
  }

  close(): void {
    this.#log.close()
  }
}

/** Reads the whole log without changing it. @throws {LogCorruptError} */
export function readModelUpdates(disk: Disk, directory: string): { scan: LogScan; published: PublishedModel[] } {
  const scan = scanLog(disk, directory)
  const published: PublishedModel[] = []
  const start = oldestPosition(disk, directory)
  if (start === null) return { scan, published }
  const cursor = new LogCursor(disk, directory, start)
  try {
    for (let frame = cursor.next(null); frame !== null; frame = cursor.next(null)) {
      if (frame.header.kind !== 'model-update') continue
      const update = JSON.parse(frame.body.toString()) as ModelUpdate
      published.push({ ...update, offset: frame.header.baseOffset, publishedAtMs: frame.header.appendTimeMs })
    }
  } finally {
    cursor.close()
  }
  return { scan, published }
}

function tryQuietly(act: () => void): void {
  try {
    act()
  } catch {
    // See the caller.
  }
}
