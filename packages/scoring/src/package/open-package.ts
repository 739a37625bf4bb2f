import type { PackageSignature } from './container.ts'
import { decodeContainer } from './container.ts'
import { hexOfBytes } from './hex.ts'
import { decodeManifest, type Manifest } from './manifest.ts'
import type { PackageCrypto } from './package-crypto.ts'
import { ModelPackageError } from './package-error.ts'

/** A package that is whole and sound in itself. Whether a plant may use it, `checkModelPackage` says. */
export interface ModelPackage {
  readonly manifest: Manifest
  /** The model's own bytes: a view of the package. */
  readonly modelBytes: Uint8Array
  /** `null`: unsigned. Not verified by opening. */
  readonly signature: PackageSignature | null
  /** SHA-256 of the whole file, lower-case hexadecimal: its name in the model store. */
  readonly sha256: string
  readonly byteLength: number
}

/**
 * Opens a model package: takes it apart, compares its digest and the hash of the model, reads the manifest.
 * Reads neither model nor signature. The bytes must not change while the package is in use.
 *
 * @throws {ModelPackageError}
 */
export function openModelPackage(bytes: Uint8Array, crypto: PackageCrypto): ModelPackage {
  const parts = decodeContainer(bytes, crypto)
  const manifest = decodeManifest(parts.manifest)
  if (hexOfBytes(crypto.sha256(parts.model)) !== manifest.modelSha256)
    throw new ModelPackageError(
      'model-hash-differs',
      'the manifest is of another model: its modelSha256 is not the one inside',
    )
  return {
    manifest,
    modelBytes: parts.model,
    signature: parts.signature,
    sha256: hexOfBytes(crypto.sha256(bytes)),
    byteLength: bytes.length,
  }
}
