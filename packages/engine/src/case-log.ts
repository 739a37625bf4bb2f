import type { CaseLine, Disk } from '@millwright/core'
import { caseMessagesDirectory } from './data-folder.ts'
import { diskError } from './errors.ts'
import { OutputLog, scanOutput } from './output-log.ts'
import { isThrough, type OutputMark } from './output-record.ts'

/**
 * The log of the topic `cases`, which the watcher's fold gives and the process that owns the folder writes.
 *
 * K1. Messages stand in the order of their marks, each once, however often and from wherever the fold is begun anew: what is at or before the last
 *     durable mark is not written again. A mark has the append time of its cause where other outputs have an input offset.
 * K2. `append` resolves after every message of the call is on stable storage, and rejects otherwise: then it may be called with the same ones again.
 * K3. The log is made when its first message comes. After a failed write or sync it is opened anew, cut back to what is durable.
 */
export class CaseLog {
  readonly #disk: Disk
  readonly #directory: string
  readonly #segmentBytesMax: number
  #log: OutputLog | null = null
  /** Of the last durable message. */
  #mark: OutputMark | null = null

  /** @param directory The data folder. */
  constructor(disk: Disk, directory: string, segmentBytesMax: number) {
    this.#disk = disk
    this.#directory = caseMessagesDirectory(directory)
    this.#segmentBytesMax = segmentBytesMax
  }

  /** Reads and checks what is there, and changes nothing. @throws {LogCorruptError} */
  check(): void {
    this.#mark = scanOutput(this.#disk, this.#directory).mark
  }

  /** Those that are not there yet (K1). */
  missing(messages: readonly CaseLine[]): readonly CaseLine[] {
    return messages.filter((message) => !isThrough(markOf(message), this.#mark))
  }

  /** @throws {DiskFullError | DiskFailedError} See K2. */
  async append(messages: readonly CaseLine[]): Promise<void> {
    const missing = this.missing(messages)
    const last = missing.at(-1)
    if (last === undefined) return
    const log = this.#open()
    for (const message of missing) log.addMarked(message.deviceId, markOf(message), message.line, message.causedAtMs)
    log.write()
    await log.sync()
    this.#mark = markOf(last)
  }

  close(): void {
    this.#log?.close()
  }

  /** @throws {DiskFullError | DiskFailedError | LogCorruptError} */
  #open(): OutputLog {
    if (this.#log !== null && !this.#log.failed) return this.#log
    const disk = this.#disk
    try {
      if (this.#log !== null) {
        this.#log.recover()
        this.#log.close()
        this.#log = null
      }
      disk.makeDirectory(this.#directory)
      const above = this.#directory.slice(0, this.#directory.lastIndexOf('/'))
      for (const folder of [above, above.slice(0, above.lastIndexOf('/'))]) disk.syncDirectory(folder)
    } catch (error) {
      throw diskError(error, 'open', this.#directory)
    }
    const scanned = scanOutput(disk, this.#directory)
    this.#mark = scanned.mark
    this.#log = new OutputLog(disk, this.#directory, 'cases', scanned, this.#segmentBytesMax)
    return this.#log
  }
}

function markOf({ causedAtMs, index }: CaseLine): OutputMark {
  return { inputOffset: causedAtMs, index }
}
