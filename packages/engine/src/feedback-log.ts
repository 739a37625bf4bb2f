import { assert, type Disk, type FeedbackBatch, type FeedbackLine, limits } from '@millwright/core'
import { acceptedFeedbackDirectory, caseCommandsDirectory, refusedFeedbackDirectory } from './data-folder.ts'
import { diskError } from './errors.ts'
import { OutputLog, scanOutput } from './output-log.ts'

/**
 * The logs of what people found and did: verdicts as `maintenance-feedback`, what was no verdict as dead letters, and `case-commands`. They
 * are no input of the operators, so that results never hang on when people write.
 *
 * B1. `append` resolves after every record of the call is on stable storage, and rejects otherwise: some of it may then be there,
 *     and whoever sends it again gives the same records again, which readers know by their id and revision.
 * B2. The append time of a record is at or after that of every record that any input log had when it was written. A reader by
 *     append time that has the outputs of all input before a time therefore has all verdicts before it, too.
 *     Readers take verdicts before commands of one append time: so a verdict never has the time of a command that was there before it.
 * B3. A log is made when its first record comes. After a failed write or sync it is opened anew, cut back to what is durable.
 */
export class FeedbackLog {
  readonly #disk: Disk
  readonly #segmentBytesMax: number
  readonly #logs: readonly [accepted: LazyLog, refused: LazyLog, commands: LazyLog]

  constructor(disk: Disk, directory: string, segmentBytesMax: number) {
    this.#disk = disk
    this.#segmentBytesMax = segmentBytesMax
    this.#logs = [
      { directory: acceptedFeedbackDirectory(directory), log: null, appendTimeMs: 0 },
      { directory: refusedFeedbackDirectory(directory), log: null, appendTimeMs: 0 },
      { directory: caseCommandsDirectory(directory), log: null, appendTimeMs: 0 },
    ]
  }

  /** Reads and checks what is there, and changes nothing. @throws {LogCorruptError} */
  check(): void {
    for (const lane of this.#logs) lane.appendTimeMs = scanOutput(this.#disk, lane.directory).scan.lastAppendTimeMs
  }

  /**
   * Resolves when the whole batch is durable (B1).
   *
   * @param inputTimeMs Greatest append time of any input log, epoch milliseconds (B2).
   * @throws {DiskFullError | DiskFailedError}
   */
  async append({ accepted, refused }: FeedbackBatch, nowMs: number, inputTimeMs: number): Promise<void> {
    const [ofAccepted, ofRefused, ofCommands] = this.#logs
    const times = [Math.floor(nowMs), inputTimeMs, ofAccepted.appendTimeMs, ofRefused.appendTimeMs]
    const appendTimeMs = Math.max(...times, ofCommands.appendTimeMs + 1)
    // All writing before any waiting: no record of an input log can come between the choice of the time and the write (B2).
    const written = [this.#write(ofAccepted, accepted, appendTimeMs), this.#write(ofRefused, refused, appendTimeMs)]
    const outcomes = await Promise.allSettled(written)
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  /** Like {@link append}, of commands to cases. @throws {DiskFullError | DiskFailedError} */
  async appendCommands(commands: readonly FeedbackLine[], nowMs: number, inputTimeMs: number): Promise<void> {
    const times = this.#logs.map(({ appendTimeMs }) => appendTimeMs)
    await this.#write(this.#logs[2], commands, Math.max(Math.floor(nowMs), inputTimeMs, ...times))
  }

  close(): void {
    for (const { log } of this.#logs) log?.close()
  }

  async #write(lane: LazyLog, lines: readonly FeedbackLine[], appendTimeMs: number): Promise<void> {
    if (lines.length === 0) return
    const log = this.#open(lane)
    let next = log.end.offset
    for (const { deviceId, line } of lines) {
      assert(line.length <= limits.frameBytesMax, 'a verdict, a dead letter of one, and a command fit a frame')
      log.add(deviceId, next++, line, appendTimeMs)
    }
    lane.appendTimeMs = appendTimeMs
    log.write()
    await log.sync()
  }

  /** @throws {DiskFullError | DiskFailedError | LogCorruptError} */
  #open(lane: LazyLog): OutputLog {
    if (lane.log !== null && !lane.log.failed) return lane.log
    const disk = this.#disk
    try {
      if (lane.log !== null) {
        lane.log.recover()
        lane.log.close()
        lane.log = null
      }
      disk.makeDirectory(lane.directory)
      const feedback = lane.directory.slice(0, lane.directory.lastIndexOf('/'))
      for (const folder of [feedback, feedback.slice(0, feedback.lastIndexOf('/'))]) disk.syncDirectory(folder)
    } catch (error) {
      throw diskError(error, 'open', lane.directory)
    }
    const scanned = scanOutput(disk, lane.directory)
    const topic = lane === this.#logs[2] ? 'case-commands' : 'maintenance-feedback'
    lane.log = new OutputLog(disk, lane.directory, topic, scanned, this.#segmentBytesMax)
    return lane.log
  }
}

interface LazyLog {
  readonly directory: string
  log: OutputLog | null
  /** Of the newest record. */
  appendTimeMs: number
}
