import type { ModelName } from './records.ts'
import type { OutputTopic } from './topics.ts'

/**
 * The borders between rooms. Operators and scoring are pure; engines host them through these ports.
 */

/** Bit-exact evaluation of one model. Stateless for the caller: equal rows give equal answers in any batch. */
export interface Scorer {
  readonly featureCount: number
  /**
   * Scores `rowCount` rows of `featureCount` float32 values each (NaN = missing), row after row, into `out`
   * (one float32 probability per row). `rows` may be longer than needed.
   */
  score(rows: Float32Array, rowCount: number, out: Float32Array): void
  /**
   * Returns TreeSHAP contributions of one row to the margin, in feature order, and last the bias.
   * Sums to the margin within 1e-5.
   */
  contributions(row: Float32Array): Float32Array
}

/** A model package that was accepted, ready to score. */
export interface LoadedModel extends ModelName {
  readonly sha256: string
  readonly threshold: number
  readonly featureNames: readonly string[]
  readonly scorer: Scorer
}

/** An activation as one partition's log has it. */
export interface Activation {
  readonly model: LoadedModel
  /** As published, append-time scale, milliseconds. */
  readonly activeFromMs: number
  /** Append time at which this partition saw it, milliseconds. */
  readonly seenAtMs: number
}

/**
 * Receives what operators produce, in order. `inputOffset` is the offset of the record being processed; the
 * engine commits each output with (inputOffset, index within that topic and input record).
 */
export interface OutputSink {
  /** @param line One JSON document without the newline. */
  emit(topic: OutputTopic, deviceId: string | null, inputOffset: number, line: string): void
}

/** Monotone counts since the operator was made or restored; the keys are permanent metric names with labels folded in. */
export type OperatorCounters = Readonly<Record<string, number>>

/**
 * The whole pipeline of one partition: decode, clean, windows, features, score, alert policy.
 * Pure and deterministic: the same calls give the same outputs, however the records are split into calls.
 */
export interface PartitionOperator {
  /**
   * Processes newline-separated readings as they came from the source; a final newline is optional, empty lines are
   * skipped but keep their offset. Line i has offset `baseOffset + i`.
   *
   * @param appendTimeMs Append time of all of them; NaN where a file is replayed (silence and future guard are off).
   */
  readings(bytes: Uint8Array, baseOffset: number, appendTimeMs: number): void
  /** Room in the decoder's own memory to read a file straight into, without a copy; see {@link ReadingDecoder.input}. */
  input(byteLength: number): Uint8Array
  /** Like `readings`, for the first `byteLength` bytes of the last `input()`: whole lines only. */
  readingsInput(byteLength: number, baseOffset: number, appendTimeMs: number): void
  /** Processes newline-separated device events, like `readings`. */
  deviceEvents(bytes: Uint8Array, baseOffset: number, appendTimeMs: number): void
  /** Puts a model in force from `max(activeFrom, just after seenAt)`, for windows closed later on the append-time scale. */
  activate(activation: Activation, offset: number): void
  /** Carries append time forward: applies silence and forgetting that are due. */
  heartbeat(appendTimeMs: number, offset: number): void
  /** Bounded input ends: counts waiting readings, closes all windows in order of device id, then of end. */
  endOfInput(offset: number): void
  /** Scores and emits what is pending. Called before outputs are committed; batching is never visible in the results. */
  flush(): void

  readonly counters: OperatorCounters
  readonly deviceCount: number

  /**
   * Returns the serialised state of devices that changed since it was last taken, and of those forgotten
   * (`state: null`), and clears the mark. Format: docs/formats/device-state.md.
   *
   * @param max At most so many, those that changed first; what is left is given by the next call, as it then is. Default: all. None
   *   are returned when none are left, and only then.
   */
  takeDirty(max?: number): DeviceStateEntry[]
  /** Restores one device, before any record is processed. @throws StateFormatError when the bytes are not of this plan. */
  restore(entry: DeviceStateEntry): void
  /** Small state that is not keyed by device: activations seen, append clock. JSON-safe. */
  takeShared(): SharedOperatorState
  restoreShared(state: SharedOperatorState, loadModel: (sha256: string) => LoadedModel): void
}

export interface DeviceStateEntry {
  readonly deviceId: string
  /** `null`: the device was forgotten. */
  readonly state: Uint8Array | null
}

export interface SharedOperatorState {
  readonly appendClockMs: number | null
  readonly activations: readonly {
    readonly name: string
    readonly version: string
    readonly sha256: string
    readonly activeFromMs: number
    readonly seenAtMs: number
  }[]
  readonly counters: OperatorCounters
}

/** A file on a disk that tells the truth about short writes. Positions and lengths are bytes. */
export interface DiskFile {
  /** Reads up to `into.length` bytes at `position`; returns how many (0 at the end). */
  read(into: Uint8Array, position: number): number
  /** Writes at `position`; returns how many bytes went in, which may be fewer than asked (a full disk). */
  write(from: Uint8Array, position: number): number
  truncate(length: number): void
  size(): number
  /** Returns after the data is on stable storage. @throws on any failure; the caller must then treat the file as unknown. */
  sync(): void
  syncAsync(): Promise<void>
  close(): void
}

/**
 * The disk as the engine uses it; the testkit has one that fails on demand. What goes wrong is thrown as an error whose
 * `code` is the system's name for it (`ENOSPC`, `EIO`, `ENOENT`…).
 */
export interface Disk {
  /** Opens to read only, to read and write what is there, or to read and write a new file. @throws When `create` finds a file. */
  open(path: string, mode: 'read' | 'write' | 'create'): DiskFile
  exists(path: string): boolean
  /** Names of the files and folders in a folder, sorted; none where there is no such folder. */
  list(directory: string): string[]
  /** Makes a folder and those above it; does nothing where it is there. */
  makeDirectory(path: string): void
  /** Puts a file in the place of another (or of none) at once: whoever opens `to` sees the old or the new one, whole. */
  rename(from: string, to: string): void
  unlink(path: string): void
  /** Like `unlink`, off the calling thread: taking a large file away can take many milliseconds. */
  unlinkAsync(path: string): Promise<void>
  /** Returns when creations, renames and removals in a folder are on stable storage. */
  syncDirectory(path: string): void
  /** Length of a file in bytes. */
  size(path: string): number
  /** Bytes free for this user on the file system that holds `path`. */
  freeBytes(path: string): number
  /**
   * Takes a lock that ends with this process at the latest, however it dies, and keeps every other process and every
   * other caller in this one out. Returns what gives it back, or `null` when it is held. The file at `path` stays.
   */
  lock(path: string): (() => void) | null
}

/** Time of day for the edges of the system (engine, gateways); never for operators. */
export interface Clock {
  /** Epoch milliseconds. */
  nowMs(): number
}

/** Lines of one partition, as a gateway hands them to the engine. */
export interface PartitionLines {
  readonly partition: number
  /** Newline-separated records as they came. */
  readonly lines: Uint8Array
  readonly lineCount: number
  /**
   * For a resumable source: its position after each line, ascending, one per line. With it the source may cut its lines
   * into other calls when it resumes and no line enters twice; without it the calls must end at the same positions again.
   */
  readonly linePositions?: Float64Array
}

/** Says how far a resumable source (a file) has been read. Positions are bytes and only grow. */
export interface SourceMark {
  /** Stable identity of the source, at most 64 characters. */
  readonly id: string
  /** Position after the last of these lines. */
  readonly position: number
}

/** A verdict as it came, or the dead letter of what was sent as one and is none: one line of JSON without the newline. */
export interface FeedbackLine {
  /** The record's key; `null` where no device can be read. */
  readonly deviceId: string | null
  readonly line: string
}

/** Verdicts of one delivery, checked at the door. */
export interface FeedbackBatch {
  /** For `maintenance-feedback`. */
  readonly accepted: readonly FeedbackLine[]
  /** For `dead-letters`. */
  readonly refused: readonly FeedbackLine[]
}

/** Where gateways put verdicts. */
export interface FeedbackPort {
  /**
   * Resolves when every line is on stable storage.
   *
   * @throws An error with `retry: 'later'` when it is not: some of it may then be there, and may be sent again as it is.
   */
  appendFeedback(batch: FeedbackBatch): Promise<void>
}

/** A message for the topic `cases`. */
export interface CaseLine {
  /** The record's key. */
  readonly deviceId: string
  /** One line of JSON without the newline. */
  readonly line: string
  /** Append time of the record that caused it, epoch milliseconds, and which of the messages of that time it is: they grow. */
  readonly causedAtMs: number
  readonly index: number
  /** What goes to `maintenance-feedback` because of it; `null` where nothing does. */
  readonly feedback: FeedbackLine | null
}

/** Where gateways put what people do to cases. */
export interface CaseCommandPort {
  /**
   * Resolves when every command, checked before, is on stable storage.
   *
   * @throws An error with `retry: 'later'` when it is not: some of it may then be there, and may be sent again as it is.
   */
  appendCaseCommands(commands: readonly FeedbackLine[]): Promise<void>
}

/** Where gateways put what they received. */
export interface IngestPort {
  /**
   * Resolves when every line is on stable storage. The memory of `parts` is the caller's again then, to be used anew.
   *
   * @throws An error with `retry: 'later'` when the backlog or the disk is full; nothing of the call was accepted.
   */
  append(topic: 'sensor-data' | 'device-events', parts: readonly PartitionLines[], source?: SourceMark): Promise<void>
  /**
   * Resolves when an `append` of so many bytes (default: of any size that fits at all) would be accepted: how a source that can
   * wait is slowed down. By the time it appends, another may have taken the room.
   */
  ready(byteLength?: number): Promise<void>
}
