import { limits, type ModelUpdate } from '@millwright/core'
import type { FrameHeader } from './frame.ts'
import { decodeActivationExtension, decodeSourceExtension, type FrameSource } from './input-extension.ts'

/**
 * What must be known of one partition's input log at one place in it, however much before it was retired.
 *
 * I1. It is a function of the frames before that place: the same frames, read back, give the same state.
 * I2. A source's position never falls, and no line at or before it is missing from the log.
 * I3. Bounded: at most `sourcesMax` sources, and the activations that are in force or still to come.
 */

/** A model update as one partition's log has it. */
export interface SeenActivation {
  readonly update: ModelUpdate
  /** Offset in the log of model updates. */
  readonly updateOffset: number
  /** Append time of its frame in this partition, epoch milliseconds. */
  readonly seenAtMs: number
}

interface StoredInputState {
  readonly sources: readonly (readonly [id: string, position: number, acknowledged: number])[]
  readonly activations: readonly SeenActivation[]
  readonly nextUpdateOffset: number
}

/** A frame's part that changes the state, kept after the frame's own memory was given back. */
export interface StateChange {
  readonly header: FrameHeader
  readonly extension: Buffer
  readonly body: Buffer
}

export class InputState {
  /** In order of last use: the first was silent longest. */
  #sources = new Map<string, { position: number; acknowledged: number }>()
  #activations: readonly SeenActivation[] = []
  #nextUpdateOffset = 0
  #forgottenSources = 0

  /** Takes in one frame of the log, or of what is about to be written. */
  apply(change: StateChange): void {
    const { kind, appendTimeMs } = change.header
    if (kind === 'log-state') this.#restore(change.body)
    else if (kind === 'activation')
      this.activate({
        update: JSON.parse(change.body.toString()) as ModelUpdate,
        updateOffset: decodeActivationExtension(change.extension),
        seenAtMs: appendTimeMs,
      })
    else if (kind === 'readings' || kind === 'device-events') {
      const source = decodeSourceExtension(change.extension)
      if (source !== null) this.mark(source)
    }
  }

  /** Whether a frame of this header can change the state: others need not be kept until they are durable. */
  static concerns(header: FrameHeader): boolean {
    return header.extensionBytes > 0 || header.kind === 'log-state'
  }

  mark(source: FrameSource): void {
    const known = this.#sources.get(source.id)
    this.#sources.delete(source.id)
    this.#sources.set(source.id, {
      position: Math.max(source.position, known?.position ?? 0),
      acknowledged: Math.max(source.acknowledged, known?.acknowledged ?? 0),
    })
    if (this.#sources.size <= limits.sourcesMax) return
    const silentLongest = this.#sources.keys().next().value
    if (silentLongest !== undefined) this.#sources.delete(silentLongest)
    this.#forgottenSources += 1
  }

  activate(activation: SeenActivation): void {
    this.#activations = standingActivations([...this.#activations, activation], activation.seenAtMs)
    this.#nextUpdateOffset = activation.updateOffset + 1
  }

  /** Position after the last line that this partition has of a source; 0 when it has none. */
  sourcePosition(id: string): number {
    return this.#sources.get(id)?.position ?? 0
  }

  /** Position before which every line of a source was acknowledged, as far as this partition knows; 0 when unknown. */
  sourceAcknowledged(id: string): number {
    return this.#sources.get(id)?.acknowledged ?? 0
  }

  get sourceIds(): readonly string[] {
    return [...this.#sources.keys()]
  }

  /** Sources forgotten since the process began (I3). */
  get forgottenSources(): number {
    return this.#forgottenSources
  }

  /** In the order seen: the one in force at the last append time, and those still to come. */
  get activations(): readonly SeenActivation[] {
    return this.#activations
  }

  /** Offset in the log of model updates of the first that this partition has not seen. */
  get nextUpdateOffset(): number {
    return this.#nextUpdateOffset
  }

  clone(): InputState {
    const copy = new InputState()
    copy.#sources = new Map(this.#sources)
    copy.#activations = this.#activations
    copy.#nextUpdateOffset = this.#nextUpdateOffset
    copy.#forgottenSources = this.#forgottenSources
    return copy
  }

  /** The body of a `log-state` frame. */
  encode(): Buffer {
    const stored: StoredInputState = {
      sources: [...this.#sources].map(([id, { position, acknowledged }]) => [id, position, acknowledged]),
      activations: this.#activations,
      nextUpdateOffset: this.#nextUpdateOffset,
    }
    return Buffer.from(JSON.stringify(stored))
  }

  #restore(body: Buffer): void {
    const stored = JSON.parse(body.toString()) as StoredInputState
    this.#sources = new Map(stored.sources.map(([id, position, acknowledged]) => [id, { position, acknowledged }]))
    this.#activations = stored.activations
    this.#nextUpdateOffset = stored.nextUpdateOffset
  }
}

/** First append time at which an activation is in force: one that was seen too late is so from where it was seen. */
export function effectiveFromMs({ update, seenAtMs }: SeenActivation): number {
  return update.activeFrom <= seenAtMs ? seenAtMs + 1 : update.activeFrom
}

/**
 * Which of the activations that a partition has seen is in force at an append time, by the rule that its operator scores by: the
 * one with the greatest effective time at or before, of equal ones the last seen.
 *
 * @param activations In the order seen; without those that the plan does not take, which are as if never published.
 */
export function activationInForce(activations: readonly SeenActivation[], nowMs: number): SeenActivation | null {
  let inForce: SeenActivation | null = null
  for (const activation of activations) {
    const fromMs = effectiveFromMs(activation)
    if (fromMs <= nowMs && (inForce === null || fromMs >= effectiveFromMs(inForce))) inForce = activation
  }
  return inForce
}

/**
 * Drops activations that can no longer be in force at or after `nowMs`: those that have begun, but for the one in force. At most
 * `activationsMax` are left, the newest.
 */
export function standingActivations(activations: readonly SeenActivation[], nowMs: number): readonly SeenActivation[] {
  const inForce = activationInForce(activations, nowMs)
  return activations
    .filter((activation) => activation === inForce || effectiveFromMs(activation) > nowMs)
    .slice(-limits.activationsMax)
}
