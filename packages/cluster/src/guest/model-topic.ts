import { type Activation, type LoadedModel, limits, type ModelUpdate, type Plan } from '@millwright/core'
import { checkModelPackage, ModelPackageError, openModelPackage, type PackageCrypto } from '@millwright/scoring'
import { textOf } from './payloads.ts'

/** First eight bytes of a part of a package: `MWPART01`. */
export const partMagic = Uint8Array.of(0x4d, 0x57, 0x50, 0x41, 0x52, 0x54, 0x30, 0x31)
/** Before a part's bytes: the magic, its number, how many parts there are, the SHA-256 of the whole package. */
export const partHeadBytes = 48

/**
 * How long after its append an activation counts as seen, milliseconds of append time: by then every subtask has it, since the host
 * processes no record before it has taken the control records that were appended `controlLagMs` before.
 */
export const seenEverywhereMs = 500
/** Half of it: the rest is for the clocks of brokers, which need not agree better than that. */
export const controlLagMs = 250

/** A record of `model-updates`. */
export interface ControlRecord {
  readonly key: string
  /** Empty: the key was deleted. */
  readonly value: Uint8Array
  /** Epoch milliseconds. */
  readonly appendTimeMs: number
}

interface IncompletePackage {
  readonly parts: (Uint8Array | undefined)[]
  missing: number
}

interface WaitingUpdate {
  readonly update: ModelUpdate
  readonly seenAtMs: number
  readonly record: Uint8Array
}

/** An update that nobody can act on, and why. */
export interface RefusedUpdate {
  readonly message: string
  readonly record: Uint8Array
}

/**
 * Reads `model-updates`: parts of packages, and activations that name a package by its hash.
 *
 * U1. A model is in force only when its package was whole and `checkModelPackage` took it; a refused one changes nothing.
 * U2. Parts and activations may come in any order, and any number of times: an activation waits for its package.
 * U3. An activation was seen `seenEverywhereMs` after the append of its own record, whenever its package is whole: the same in every
 *     guest, and after every restart. One that asks for less is late.
 * U4. The newest `modelPackagesKept` models are kept for rollbacks, and no package longer than until it is loaded.
 */
export class ModelTopic {
  readonly #plan: Plan
  readonly #crypto: PackageCrypto
  readonly #announce: (activation: Activation) => void
  readonly #refuse: (refused: RefusedUpdate) => void
  readonly #incomplete = new Map<string, IncompletePackage>()
  readonly #packages = new Map<string, Uint8Array>()
  /** `null`: refused. */
  readonly #models = new Map<string, LoadedModel | null>()
  #waiting: WaitingUpdate[] = []
  /** Keys of activations that were acted on. */
  readonly #seen = new Set<string>()

  constructor(options: {
    readonly plan: Plan
    readonly crypto: PackageCrypto
    readonly announce: (activation: Activation) => void
    readonly refuse: (refused: RefusedUpdate) => void
  }) {
    this.#plan = options.plan
    this.#crypto = options.crypto
    this.#announce = options.announce
    this.#refuse = options.refuse
  }

  /** Activations whose package is not whole yet. */
  get waitingCount(): number {
    return this.#waiting.length
  }

  take(record: ControlRecord): void {
    if (record.value.length === 0) return
    if (partMagic.every((byte, i) => record.value[i] === byte)) this.#takePart(record.value)
    else this.#takeActivation(record)
    this.#actOnWhole()
  }

  #takePart(value: Uint8Array): void {
    if (value.length < partHeadBytes) {
      this.#refuse({ message: `a part must have a head of ${partHeadBytes} bytes`, record: value.slice() })
      return
    }
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
    const part = view.getUint32(8, true)
    const partCount = view.getUint32(12, true)
    const sha256 = hexOf(value.subarray(16, partHeadBytes))
    if (this.#packages.has(sha256) || this.#models.has(sha256)) return
    // A part has at least one byte, so no package has more parts than bytes.
    if (part >= partCount || partCount > limits.modelPackageBytesMax / 1024) {
      this.#refuse({
        message: `part ${part} of ${partCount} is none of a package`,
        record: value.slice(0, partHeadBytes),
      })
      return
    }
    let incomplete = this.#incomplete.get(sha256)
    if (incomplete === undefined || incomplete.parts.length !== partCount) {
      incomplete = { parts: new Array<Uint8Array | undefined>(partCount).fill(undefined), missing: partCount }
      this.#incomplete.set(sha256, incomplete)
    }
    if (incomplete.parts[part] === undefined) incomplete.missing -= 1
    incomplete.parts[part] = value.slice(partHeadBytes)
    if (incomplete.missing > 0) return
    this.#incomplete.delete(sha256)
    this.#packages.set(sha256, join(incomplete.parts as Uint8Array[]))
  }

  #takeActivation({ key, value, appendTimeMs }: ControlRecord): void {
    if (this.#seen.has(key)) return
    const update = updateOf(value)
    if (update === null) {
      this.#refuse({ message: 'it must be a part of a package or an activation', record: value.slice(0, 4096) })
      return
    }
    this.#seen.add(key)
    this.#waiting.push({ update, seenAtMs: appendTimeMs + seenEverywhereMs, record: value.slice() })
  }

  #actOnWhole(): void {
    const stillWaiting: WaitingUpdate[] = []
    for (const waiting of this.#waiting) {
      const { update, seenAtMs, record } = waiting
      const bytes = this.#packages.get(update.sha256) ?? null
      if (bytes === null && !this.#models.has(update.sha256)) {
        stillWaiting.push(waiting)
        continue
      }
      const model = this.#load(update, bytes, record)
      if (model !== null) this.#announce({ model, activeFromMs: update.activeFrom, seenAtMs })
    }
    this.#waiting = stillWaiting
  }

  #load(update: ModelUpdate, bytes: Uint8Array | null, record: Uint8Array): LoadedModel | null {
    if (bytes === null) return this.#models.get(update.sha256) ?? null
    let model: LoadedModel | null = null
    try {
      const modelPackage = openModelPackage(bytes, this.#crypto)
      if (modelPackage.sha256 !== update.sha256)
        throw new ModelPackageError('digest-differs', `its parts are of another package: ${modelPackage.sha256}`)
      model = checkModelPackage(modelPackage, this.#plan, this.#crypto)
      // The first explanation plans its tables: here no alert waits for it.
      model.scorer.contributions(new Float32Array(model.scorer.featureCount))
    } catch (error) {
      if (!(error instanceof ModelPackageError)) throw error
      this.#refuse({ message: error.message, record })
    }
    this.#models.set(update.sha256, model)
    // A model in force is held by the operator; for a rollback to one that was given up, its package is published again.
    for (const sha256 of [...this.#models.keys()].slice(0, -limits.modelPackagesKept)) this.#models.delete(sha256)
    this.#packages.delete(update.sha256)
    return model
  }
}

function updateOf(value: Uint8Array): ModelUpdate | null {
  let parsed: unknown
  try {
    parsed = JSON.parse(textOf(value))
  } catch {
    // Not JSON, or not even text.
    return null
  }
  if (typeof parsed !== 'object' || parsed === null) return null
  const { name, version, sha256, activeFrom } = parsed as Record<string, unknown>
  if (typeof name !== 'string' || typeof version !== 'string' || typeof sha256 !== 'string') return null
  return typeof activeFrom === 'number' ? { name, version, sha256, activeFrom } : null
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function hexOf(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += (byte + 256).toString(16).slice(1)
  return hex
}
