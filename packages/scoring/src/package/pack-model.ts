import { limits } from '@millwright/core'
import { loadPackagedModel } from './check-package.ts'
import { encodeContainer } from './container.ts'
import { hexOfBytes } from './hex.ts'
import { encodeManifest, type Manifest } from './manifest.ts'
import { openModelPackage } from './open-package.ts'
import type { PackageCrypto, PackageSigner } from './package-crypto.ts'
import { ModelPackageError } from './package-error.ts'

/** What a package is made of, beside what follows from the model's bytes. */
export interface PackageContent extends Omit<Manifest, 'modelFormat' | 'modelSha256'> {
  readonly model: Uint8Array
}

/**
 * Makes a model package. It is opened and loaded again before it is returned, so that what is handed out can be used.
 *
 * @param signer `null`: unsigned.
 * @throws {ModelPackageError} For the reason for which what was made would be refused.
 */
export function packModel(
  content: PackageContent,
  crypto: PackageCrypto,
  signer: PackageSigner | null = null,
): Uint8Array {
  const { model, ...about } = content
  const manifest = encodeManifest({ ...about, modelFormat: 'xgboost', modelSha256: hexOfBytes(crypto.sha256(model)) })
  if (manifest.length > limits.manifestBytesMax)
    throw new ModelPackageError('manifest-too-large', `${manifest.length} bytes; at most ${limits.manifestBytesMax}`)
  const bytes = encodeContainer(manifest, model, crypto, signer)
  loadPackagedModel(openModelPackage(bytes, crypto))
  return bytes
}
