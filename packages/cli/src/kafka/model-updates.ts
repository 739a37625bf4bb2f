import { randomUUID } from 'node:crypto'
import { activationKey, packageParts, partHeadBytes, seenEverywhereMs } from '@millwright/cluster/kafka'
import { limits, type ModelUpdate, type Plan } from '@millwright/core'
import {
  activationInForce,
  effectiveFromMs,
  ModelRefusedError,
  NoPreviousModelError,
  type PublishedModel,
  type SeenActivation,
  standingActivations,
} from '@millwright/engine'
import type { ListedModel, ModelDesk, ModelRefusal } from '@millwright/gateways'
import type { KafkaConnection, KafkaRecord } from '@millwright/gateways/kafka'
import { ModelPackageError } from '@millwright/scoring'
import { loadPackage } from '../models/load-package.ts'
import { listModels } from '../plant/model-desk.ts'
import { isPart, PackageAssembly } from './package-assembly.ts'
import { openUpdatesTopic, type UpdatesTopic, updatesTopicName } from './updates-topic.ts'

/** How far ahead a model is put in force, so that every subtask has it in time, milliseconds. */
const activationDelayMs = 1000

/**
 * The models of a plant whose operators run on Flink, as the topic `model-updates` has them: the gateway only writes there and
 * reads; what is in force the operators say, by the same rule.
 *
 * U1. A package is published as its parts, then its activation: a crash between them puts nothing in force.
 * U2. A package that the plan refuses is never written.
 * U3. Under one name and version there is one package: its parts have keys of their own, which another's would take the place of.
 * U4. An activation counts as seen `seenEverywhereMs` after the append of its record, as for the operators; one that was to be in force by
 *     then is so from the next millisecond.
 */
export class KafkaModels implements ModelDesk {
  readonly #topic: UpdatesTopic
  readonly #plan: Plan
  readonly #assembly = new PackageAssembly()
  /** By SHA-256, of packages that are whole: why the plan refuses them, or `null`. */
  readonly #verdicts = new Map<string, ModelRefusal | null>()
  readonly #published: PublishedModel[] = []
  readonly #seenKeys = new Set<string>()
  #activations: readonly SeenActivation[] = []
  #next = 0
  #turn: Promise<unknown> = Promise.resolve()

  constructor(topic: UpdatesTopic, plan: Plan) {
    this.#topic = topic
    this.#plan = plan
  }

  /** @throws {KafkaTopicMissingError | KafkaUnreachableError | KafkaAuthenticationError | KafkaRefusedError} */
  static async open(connection: KafkaConnection, plan: Plan): Promise<KafkaModels> {
    return new KafkaModels(await openUpdatesTopic(connection), plan)
  }

  async close(): Promise<void> {
    await this.#topic.close()
  }

  /** What windows that close now are scored by; `null` where there is none. */
  async inForce(): Promise<ModelUpdate | null> {
    return this.#inTurn(async () => this.#inForce(this.#activations, Date.now())?.update ?? null)
  }

  async list(): Promise<ListedModel[]> {
    return this.#inTurn(async () =>
      listModels(
        { published: this.#published, activations: [this.#activations] },
        {
          refusal: (sha256) => this.#verdicts.get(sha256) ?? null,
          inForce: (activations, nowMs) => this.#inForce(activations, nowMs),
        },
        Date.now(),
      ),
    )
  }

  async publish(packageBytes: Uint8Array, activeFromMs?: number): Promise<ModelUpdate> {
    if (packageBytes.length > limits.modelPackageBytesMax)
      throw new ModelRefusedError(
        `Cannot publish the model package as it must have <= ${limits.modelPackageBytesMax} bytes: found ${packageBytes.length}`,
      )
    const { name, version, sha256 } = loadPackage(packageBytes, this.#plan)
    return this.#inTurn(async () => {
      const other = this.#published.find((model) => model.name === name && model.version === version)
      if (other !== undefined && other.sha256 !== sha256)
        throw new ModelRefusedError(
          `Cannot publish ${name} ${version} as a version names one package for good: found another of SHA-256 ${other.sha256}`,
          { details: { reason: 'version-taken' } },
        )
      await this.#write(packageParts({ name, version }, packageBytes))
      // Only now: a large package takes its time, and the moment is to be ahead for all subtasks.
      const update = { name, version, sha256, activeFrom: activeFromOf(activeFromMs) }
      await this.#write([activationOf(update)])
      return update
    })
  }

  async rollback(): Promise<ModelUpdate> {
    return this.#inTurn(async () => {
      const newest = this.#published.at(-1)
      const previous = this.#published.findLast(({ sha256 }) => sha256 !== newest?.sha256)
      if (previous === undefined)
        throw new NoPreviousModelError('Cannot roll back as an earlier model must have been published: there is none')
      const refusal = this.#verdicts.get(previous.sha256)
      if (refusal === undefined)
        throw new ModelRefusedError(
          `Cannot roll back as the package of ${previous.name} ${previous.version} is not whole on ${updatesTopicName}`,
        )
      if (refusal !== null) throw new ModelRefusedError(refusal.message, { details: { reason: refusal.reason } })
      const { name, version, sha256 } = previous
      const update = { name, version, sha256, activeFrom: activeFromOf(undefined) }
      await this.#write([activationOf(update)])
      return update
    })
  }

  /**
   * The first append time (epoch milliseconds) whose windows an update that was published here scores: its moment, or a later one where
   * its record was written too late for every subtask to have it by then (U4). Where the topic has no record of it: its moment.
   */
  inForceFromMs(update: ModelUpdate): number {
    const { sha256, activeFrom } = update
    const published = this.#published.findLast((model) => model.sha256 === sha256 && model.activeFrom === activeFrom)
    return published === undefined ? activeFrom : effectiveFromMs(seenOf(published, update))
  }

  #inForce(activations: readonly SeenActivation[], nowMs: number): SeenActivation | null {
    return activationInForce(
      activations.filter(({ update }) => (this.#verdicts.get(update.sha256) ?? null) === null),
      nowMs,
    )
  }

  /** One at a time, each on what the topic holds by then. */
  async #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(async () => {
      await this.#catchUp()
      return act()
    })
    this.#turn = turn.catch(() => undefined)
    return await turn
  }

  async #write(records: readonly { readonly key: string; readonly value: Uint8Array }[]): Promise<void> {
    await this.#topic.append(records)
    await this.#catchUp()
  }

  async #catchUp(): Promise<void> {
    for await (const record of this.#topic.read(this.#next)) {
      this.#take(record)
      this.#next = record.offset + 1
    }
  }

  #take(record: KafkaRecord): void {
    const { value } = record
    if (value.length === 0) return
    if (!isPart(value)) this.#takeActivation(record)
    else if (value.length > partHeadBytes) this.#takePart(value)
  }

  #takePart(value: Uint8Array): void {
    const whole = this.#assembly.take(value, (sha256) => this.#verdicts.has(sha256))
    if (whole !== null) this.#verdicts.set(whole.sha256, this.#judge(whole.bytes))
  }

  #judge(packageBytes: Uint8Array): ModelRefusal | null {
    try {
      loadPackage(packageBytes, this.#plan)
      return null
    } catch (error) {
      if (error instanceof ModelPackageError) return { reason: error.reason, message: error.message }
      throw error
    }
  }

  #takeActivation({ key, value, offset, appendTimeMs }: KafkaRecord): void {
    const update = updateOf(value)
    if (update === null || key === null || this.#seenKeys.has(key)) return
    this.#seenKeys.add(key)
    const published = { ...update, offset, publishedAtMs: appendTimeMs }
    this.#published.push(published)
    this.#activations = standingActivations([...this.#activations, seenOf(published, update)], appendTimeMs)
  }
}

/** U4. */
function seenOf({ offset, publishedAtMs }: PublishedModel, update: ModelUpdate): SeenActivation {
  return { update, updateOffset: offset, seenAtMs: publishedAtMs + seenEverywhereMs }
}

function activationOf(update: ModelUpdate): { readonly key: string; readonly value: Uint8Array } {
  return { key: activationKey(update.name, randomUUID()), value: Buffer.from(JSON.stringify(update)) }
}

function activeFromOf(activeFromMs: number | undefined): number {
  return Math.floor(activeFromMs ?? Date.now() + activationDelayMs)
}

/** The activation that a record of `model-updates` is; `null` where it is none. */
export function updateOf(value: Uint8Array): ModelUpdate | null {
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(value).toString())
  } catch {
    // Not ours: the operators say so on dead-letters.
    return null
  }
  if (typeof parsed !== 'object' || parsed === null) return null
  const { name, version, sha256, activeFrom } = parsed as Record<string, unknown>
  if (typeof name !== 'string' || typeof version !== 'string' || typeof sha256 !== 'string') return null
  return typeof activeFrom === 'number' ? { name, version, sha256, activeFrom } : null
}
