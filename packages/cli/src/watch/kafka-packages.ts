import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { partHeadBytes } from '@millwright/cluster/kafka'
import type { ModelName } from '@millwright/core'
import type { KafkaRecord, TopicsLink } from '@millwright/gateways/kafka'
import { updateOf } from '../kafka/model-updates.ts'
import { isPart, PackageAssembly } from '../kafka/package-assembly.ts'

/** Where packages and activations are published. */
export const packageTopic = 'model-updates'

/**
 * The model packages that were published on Kafka, kept as files, `SHA256.mwmodel`: a baseline is looked up when its model first scores, and one in memory each would be
 * too much.
 *
 * The folder is a cache: what is missing in it is there again after the topic was read from its beginning, as at each start.
 */
export class KafkaPackages {
  readonly #link: TopicsLink
  readonly #folder: string
  readonly #assembly = new PackageAssembly()
  readonly #kept = new Set<string>()
  /** SHA-256 by name and version, of the newest activation. */
  readonly #named = new Map<string, string>()
  #next = 0

  constructor(link: TopicsLink, folder: string) {
    this.#link = link
    this.#folder = folder
  }

  /** Takes what the topic has by now. @throws As `TopicsLink.fetch`, and what the file system throws. */
  async catchUp(): Promise<void> {
    const end = await this.#link.committedEnd(packageTopic, 0)
    while (this.#next < end) {
      const { records, next } = await this.#link.fetch({ topic: packageTopic, partition: 0, from: this.#next })
      for (const record of records) this.#take(record)
      if (next === this.#next) return
      this.#next = next
    }
  }

  /** Path of the package of a model version; `null` where none was published whole. */
  pathOf({ name, version }: ModelName): string | null {
    const sha256 = this.#named.get(JSON.stringify([name, version]))
    return sha256 !== undefined && this.#kept.has(sha256) ? this.#pathOf(sha256) : null
  }

  #take({ value }: KafkaRecord): void {
    if (isPart(value)) {
      if (value.length > partHeadBytes) this.#takePart(value)
      return
    }
    const update = updateOf(value)
    if (update !== null) this.#named.set(JSON.stringify([update.name, update.version]), update.sha256)
  }

  #takePart(value: Uint8Array): void {
    const whole = this.#assembly.take(value, (sha256) => this.#kept.has(sha256))
    if (whole === null) return
    const path = this.#pathOf(whole.sha256)
    if (!existsSync(path)) {
      mkdirSync(this.#folder, { recursive: true })
      writeFileSync(`${path}.${process.pid}.tmp`, whole.bytes)
      renameSync(`${path}.${process.pid}.tmp`, path)
    }
    this.#kept.add(whole.sha256)
  }

  #pathOf(sha256: string): string {
    return join(this.#folder, `${sha256}.mwmodel`)
  }
}
