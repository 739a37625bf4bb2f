import { createHash } from 'node:crypto'
import { partHeadBytes, partMagic } from '@millwright/cluster/kafka'
import { limits } from '@millwright/core'

/** A package of which parts are still to come. */
interface IncompletePackage {
  readonly parts: (Uint8Array | undefined)[]
  missing: number
}

/** Puts packages together from their parts on `model-updates`, which may come again and in any order. */
export class PackageAssembly {
  readonly #incomplete = new Map<string, IncompletePackage>()

  /**
   * Takes a part.
   *
   * @param isKnown Whether a package is had already: its parts are passed over.
   * @returns The package that it makes whole; `null` where more are to come, or where the parts do not make what they say.
   */
  take(
    value: Uint8Array,
    isKnown: (sha256: string) => boolean,
  ): { readonly sha256: string; readonly bytes: Uint8Array } | null {
    const { part, partCount, sha256 } = partHead(value)
    if (isKnown(sha256) || part >= partCount || partCount > limits.modelPackageBytesMax / 1024) return null
    const known = this.#incomplete.get(sha256)
    const incomplete =
      known?.parts.length === partCount
        ? known
        : { parts: new Array<Uint8Array | undefined>(partCount).fill(undefined), missing: partCount }
    this.#incomplete.set(sha256, incomplete)
    if (incomplete.parts[part] === undefined) incomplete.missing -= 1
    incomplete.parts[part] = value.slice(partHeadBytes)
    if (incomplete.missing > 0) return null
    this.#incomplete.delete(sha256)
    const bytes = Buffer.concat(incomplete.parts as Uint8Array[])
    // Parts that do not make what they say are of no package: the operators refuse them too.
    return createHash('sha256').update(bytes).digest('hex') === sha256 ? { sha256, bytes } : null
  }
}

/** Whether a record of `model-updates` is a part of a package; else it is an activation. */
export function isPart(value: Uint8Array): boolean {
  return partMagic.every((byte, index) => value[index] === byte)
}

/** What a part says of itself. @param value At least `partHeadBytes` long. */
export function partHead(value: Uint8Array): {
  readonly part: number
  readonly partCount: number
  readonly sha256: string
} {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  return {
    part: view.getUint32(8, true),
    partCount: view.getUint32(12, true),
    sha256: Buffer.from(value.subarray(16, partHeadBytes)).toString('hex'),
  }
}
