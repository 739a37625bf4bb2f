import { assert, type Clock, limits, type ModelUpdate } from '@millwright/core'
import { FrameStaging, type StagedFrames } from './frame-staging.ts'
import {
  activationExtensionBytes,
  encodeActivationExtension,
  encodeSourceExtension,
  type FrameSource,
  sourceExtensionBytes,
} from './input-extension.ts'
import type { InputState } from './input-state.ts'
import { firstLines, lineEnd } from './lines.ts'

export type LineKind = 'readings' | 'device-events'

export interface LineSource {
  readonly id: string
  /** After the last of the lines. */
  readonly position: number
  /** After each line, ascending; `null`: all of them stand at `position`. */
  readonly linePositions: Float64Array | null
  readonly acknowledged: number
}

export interface StagedLines {
  readonly bytes: Uint8Array
  readonly lineCount: number
  readonly source: LineSource | null
}

/**
 * What is about to be written to the input log of one partition: gives records their offsets and append times, and puts
 * lines that come together into one frame.
 *
 * A1. Append time never falls, also where the clock does.
 * A2. Lines of a resumable source at or before its position are left out; what is staged counts into the position.
 * A3. `reset` goes back to what is durable in everything but append time.
 */
export class InputStaging {
  readonly #clock: Clock
  readonly #frames = new FrameStaging()
  #state: InputState
  #nextOffset: number
  #appendTimeMs: number
  #openKind: LineKind | null = null
  #openSource: FrameSource | null = null

  /** @param state What the durable log says; taken over. */
  constructor(clock: Clock, state: InputState, nextOffset: number, appendTimeMs: number) {
    this.#clock = clock
    this.#state = state
    this.#nextOffset = nextOffset
    this.#appendTimeMs = appendTimeMs
  }

  /** Offset that the next record will have. */
  get nextOffset(): number {
    return this.#nextOffset
  }

  /** Of the newest record, epoch milliseconds. */
  get appendTimeMs(): number {
    return this.#appendTimeMs
  }

  get byteLength(): number {
    return this.#frames.byteLength
  }

  /** Offset in the log of model updates of the first that is not staged. */
  get nextUpdateOffset(): number {
    return this.#state.nextUpdateOffset
  }

  /** Adds whole lines; returns how many of them the log had already (A2). */
  lines(kind: LineKind, lines: StagedLines): number {
    const known = lines.source === null ? 0 : knownLines(lines, this.#state.sourcePosition(lines.source.id))
    if (known < lines.lineCount) {
      const bytes = known === 0 ? lines.bytes : lines.bytes.subarray(lineEnd(lines.bytes, known))
      this.#pieces(kind, { ...lines, bytes, lineCount: lines.lineCount - known }, known)
    } else assert(lines.lineCount > 0 || lines.bytes.length === 0, 'lineCount counts the lines')
    return known
  }

  activation(update: ModelUpdate, updateOffset: number): void {
    assert(updateOffset >= this.#state.nextUpdateOffset, 'model updates reach a partition in order')
    this.#open('activation', activationExtensionBytes)
    this.#frames.add(Buffer.from(JSON.stringify(update)), 1)
    this.#frames.seal(encodeActivationExtension(updateOffset))
    this.#state.activate({ update, updateOffset, seenAtMs: this.#appendTimeMs })
    this.#nextOffset += 1
  }

  heartbeat(): void {
    this.#open('heartbeat', 0)
    this.#frames.advance(0, 1)
    this.#frames.seal(noExtension)
    this.#nextOffset += 1
  }

  /** Adds the present state, with where its sources are acknowledged. */
  state(acknowledged: (sourceId: string) => number): void {
    for (const id of this.#state.sourceIds) this.#state.mark({ id, position: 0, acknowledged: acknowledged(id) })
    this.#open('log-state', 0)
    this.#frames.add(this.#state.encode(), 0)
    this.#frames.seal(noExtension)
  }

  /** Returns the oldest frames to write together, as many as fit; `null` when there are none. */
  group(bytesMax: number): StagedFrames | null {
    this.#seal()
    return this.#frames.first(bytesMax)
  }

  /** Drops frames that `group` has returned. */
  drop(byteLength: number): void {
    this.#frames.drop(byteLength)
  }

  /** Drops everything (A3). */
  reset(durable: InputState, nextOffset: number): void {
    this.#frames.clear()
    this.#openKind = null
    this.#openSource = null
    this.#state = durable
    this.#nextOffset = nextOffset
  }

  /** Divides lines into frames; where they have no position each, all of them must stand in one. */
  #pieces(kind: LineKind, lines: StagedLines, firstLine: number): void {
    const { source } = lines
    const isDivisible = source === null || source.linePositions !== null
    let rest = lines.bytes
    let lineCount = lines.lineCount
    let line = firstLine
    while (lineCount > 0) {
      const isWhole = rest.length <= limits.frameBytesMax || !isDivisible
      const piece = isWhole ? { byteLength: rest.length, lineCount } : firstLines(rest, limits.frameBytesMax, lineCount)
      line += piece.lineCount
      const position = source?.linePositions?.[line - 1] ?? source?.position ?? 0
      const frameSource = source === null ? null : { id: source.id, position, acknowledged: source.acknowledged }
      this.#piece(kind, rest.subarray(0, piece.byteLength), piece.lineCount, frameSource)
      rest = rest.subarray(piece.byteLength)
      lineCount -= piece.lineCount
    }
    assert(rest.length === 0, 'lineCount counts the lines')
  }

  /** Adds lines to the open frame where they belong with what it has, else to a new one. */
  #piece(kind: LineKind, bytes: Uint8Array, lineCount: number, source: FrameSource | null): void {
    const bodyBytes = this.#frames.openBodyBytes
    const joins =
      bodyBytes >= 0 &&
      this.#openKind === kind &&
      this.#openSource?.id === source?.id &&
      bodyBytes + bytes.length < limits.frameBytesMax
    if (!joins) {
      this.#open(kind, source === null ? 0 : sourceExtensionBytes(source.id))
      this.#openKind = kind
    }
    this.#frames.add(bytes, lineCount)
    if (bytes[bytes.length - 1] !== newline) this.#frames.add(newlineBytes, 0)
    this.#openSource = source
    if (source !== null) this.#state.mark(source)
    this.#nextOffset += lineCount
  }

  #open(kind: LineKind | 'activation' | 'heartbeat' | 'log-state', extensionBytes: number): void {
    this.#seal()
    // A1.
    this.#appendTimeMs = Math.max(this.#appendTimeMs, Math.floor(this.#clock.nowMs()))
    this.#frames.open(kind, this.#nextOffset, this.#appendTimeMs, extensionBytes)
  }

  #seal(): void {
    if (this.#frames.openBodyBytes < 0) return
    this.#frames.seal(this.#openSource === null ? noExtension : encodeSourceExtension(this.#openSource))
    this.#openSource = null
    this.#openKind = null
  }
}

const noExtension = new Uint8Array(0)
const newline = 10
const newlineBytes = Uint8Array.of(newline)

/** Lines at the head that stand at or before `position`. */
function knownLines(lines: StagedLines, position: number): number {
  const { source, lineCount } = lines
  if (source === null || position === 0) return 0
  const positions = source.linePositions
  if (positions === null) return source.position <= position ? lineCount : 0
  assert(positions.length === lineCount, 'a resumable source says the position of each line')
  let known = 0
  while (known < lineCount && (positions[known] as number) <= position) known++
  return known
}
