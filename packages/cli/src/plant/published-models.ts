import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ModelUpdate, Plan } from '@millwright/core'
import {
  activationInForce,
  type Engine,
  openTopicReader,
  type PublishedModel,
  type SeenActivation,
  standingActivations,
} from '@millwright/engine'
import type { ModelRefusal } from '@millwright/gateways'
import { ModelPackageError } from '@millwright/scoring'
import { loadPackage } from '../models/load-package.ts'

/** What was published, oldest first, and what each partition's log has of it that is in force or to come. */
export interface Publications {
  readonly published: readonly PublishedModel[]
  /** By partition, in the order seen; see `Engine.activations`. */
  readonly activations: readonly (readonly SeenActivation[])[]
}

/** Of a plant that is open in this process. */
export function publicationsOf(engine: Engine): Publications {
  return { published: engine.listModels(), activations: engine.activations() }
}

/**
 * Reads what was published in a data folder on which no plant runs. Its partitions then stand as one that saw every update
 * when it was published: where one has not, it gets the update at the next start.
 */
export function readPublications(dataDirectory: string): Publications {
  if (!existsSync(dataDirectory)) return { published: [], activations: [] }
  const reader = openTopicReader({ directory: dataDirectory, topic: 'model-updates' })
  try {
    const published = [...reader].map(({ value, offset, appendTimeMs }) => ({
      ...(JSON.parse(Buffer.from(value).toString()) as ModelUpdate),
      offset,
      publishedAtMs: appendTimeMs,
    }))
    let seen: readonly SeenActivation[] = []
    for (const { name, version, sha256, activeFrom, offset, publishedAtMs } of published) {
      const update = { name, version, sha256, activeFrom }
      seen = standingActivations([...seen, { update, updateOffset: offset, seenAtMs: publishedAtMs }], publishedAtMs)
    }
    return { published, activations: [seen] }
  } finally {
    reader.close()
  }
}

/** Says which of the packages stored in a data folder a plan takes. Each is opened once. */
export class PackageJudge {
  readonly #plan: Plan
  readonly #dataDirectory: string
  readonly #verdicts = new Map<string, ModelRefusal | null>()

  constructor(plan: Plan, dataDirectory: string) {
    this.#plan = plan
    this.#dataDirectory = dataDirectory
  }

  /** Why the plan does not take a package that was published; `null` where it does, or where the package is no longer kept. */
  refusal(sha256: string): ModelRefusal | null {
    let verdict = this.#verdicts.get(sha256)
    if (verdict === undefined) {
      verdict = this.#judge(sha256)
      this.#verdicts.set(sha256, verdict)
    }
    return verdict
  }

  /** The activation by which a partition scores at a moment of the append-time scale; those that are refused score nothing. */
  inForce(activations: readonly SeenActivation[], nowMs: number): SeenActivation | null {
    return activationInForce(
      activations.filter(({ update }) => this.refusal(update.sha256) === null),
      nowMs,
    )
  }

  #judge(sha256: string): ModelRefusal | null {
    const path = join(this.#dataDirectory, 'models', `${sha256}.mwmodel`)
    if (!existsSync(path)) return null
    try {
      loadPackage(readFileSync(path), this.#plan)
      return null
    } catch (error) {
      if (error instanceof ModelPackageError) return { reason: error.reason, message: error.message }
      throw error
    }
  }
}
