import { assert, limits } from '@millwright/core'
import type { PackageCrypto, PackageSigner } from './package-crypto.ts'
import { ModelPackageError } from './package-error.ts'

/** First eight bytes of a package: `MWMODEL1`. */
export const packageMagic = Uint8Array.of(0x4d, 0x57, 0x4d, 0x4f, 0x44, 0x45, 0x4c, 0x31)
/** Version of the container that is written, and the only one that is read. */
export const packageVersion = 1
export const packageHeadBytes = 24
export const packageDigestBytes = 32
export const publicKeyBytes = 32
export const signatureBytes = 64

const flagSigned = 1

/** The parts of a package, as views of its bytes. */
export interface PackageParts {
  readonly manifest: Uint8Array
  readonly model: Uint8Array
  readonly signature: PackageSignature | null
}

export interface PackageSignature {
  readonly publicKey: Uint8Array
  readonly signature: Uint8Array
  /** Everything before the signature. */
  readonly message: Uint8Array
}

/** Whether a file begins as a package does; what it is worth, opening it will say. */
export function isModelPackage(bytes: Uint8Array): boolean {
  return packageMagic.every((byte, i) => bytes[i] === byte)
}

/** Joins the parts of a package. Layout: `docs/formats/model-package.md`. */
export function encodeContainer(
  manifest: Uint8Array,
  model: Uint8Array,
  crypto: PackageCrypto,
  signer: PackageSigner | null,
): Uint8Array {
  const bodyEnd = packageHeadBytes + manifest.length + model.length
  const digestEnd = bodyEnd + packageDigestBytes
  const bytes = new Uint8Array(digestEnd + (signer === null ? 0 : publicKeyBytes + signatureBytes))
  const view = new DataView(bytes.buffer)
  bytes.set(packageMagic)
  view.setUint32(8, packageVersion, true)
  view.setUint32(12, signer === null ? 0 : flagSigned, true)
  view.setUint32(16, manifest.length, true)
  view.setUint32(20, model.length, true)
  bytes.set(manifest, packageHeadBytes)
  bytes.set(model, packageHeadBytes + manifest.length)
  bytes.set(crypto.sha256(bytes.subarray(0, bodyEnd)), bodyEnd)
  if (signer === null) return bytes
  assert(signer.publicKey.length === publicKeyBytes, 'an Ed25519 public key has 32 bytes')
  bytes.set(signer.publicKey, digestEnd)
  const signature = signer.sign(bytes.subarray(0, digestEnd + publicKeyBytes))
  assert(signature.length === signatureBytes, 'an Ed25519 signature has 64 bytes')
  bytes.set(signature, digestEnd + publicKeyBytes)
  return bytes
}

/**
 * Takes a package apart, having compared its digest. Reserves nothing.
 *
 * @throws {ModelPackageError}
 */
export function decodeContainer(bytes: Uint8Array, crypto: PackageCrypto): PackageParts {
  if (bytes.length > limits.modelPackageBytesMax)
    throw new ModelPackageError('too-large', `${bytes.length} bytes; at most ${limits.modelPackageBytesMax}`)
  if (packageMagic.some((byte, i) => i < bytes.length && byte !== bytes[i]))
    throw new ModelPackageError('not-a-package', 'the file does not begin with MWMODEL1')
  if (bytes.length < packageHeadBytes) throw truncated(packageHeadBytes, bytes.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = view.getUint32(8, true)
  if (version !== packageVersion)
    throw new ModelPackageError(
      'version-unsupported',
      `format version ${version}; this release reads ${packageVersion}`,
      {
        version,
      },
    )
  const flags = view.getUint32(12, true)
  if ((flags & ~flagSigned) !== 0)
    throw new ModelPackageError('flags-unknown', `flags 0x${flags.toString(16)}; this release knows 0x1`)
  const manifestBytes = view.getUint32(16, true)
  if (manifestBytes > limits.manifestBytesMax)
    throw new ModelPackageError('manifest-too-large', `${manifestBytes} bytes; at most ${limits.manifestBytesMax}`)
  const modelStart = packageHeadBytes + manifestBytes
  const bodyEnd = modelStart + view.getUint32(20, true)
  const digestEnd = bodyEnd + packageDigestBytes
  const signed = flags === flagSigned
  const end = digestEnd + (signed ? publicKeyBytes + signatureBytes : 0)
  if (bytes.length < end) throw truncated(end, bytes.length)
  if (bytes.length > end)
    throw new ModelPackageError('trailing-bytes', `${bytes.length - end} bytes after the end of the package`)
  const digest = crypto.sha256(bytes.subarray(0, bodyEnd))
  if (digest.some((byte, i) => byte !== bytes[bodyEnd + i]))
    throw new ModelPackageError('digest-differs', 'the file is damaged: its SHA-256 is not the one that it holds')
  return {
    manifest: bytes.subarray(packageHeadBytes, modelStart),
    model: bytes.subarray(modelStart, bodyEnd),
    signature: signed
      ? {
          publicKey: bytes.subarray(digestEnd, digestEnd + publicKeyBytes),
          signature: bytes.subarray(digestEnd + publicKeyBytes, end),
          message: bytes.subarray(0, digestEnd + publicKeyBytes),
        }
      : null,
  }
}

function truncated(wanted: number, found: number): ModelPackageError {
  return new ModelPackageError('truncated', `${found} bytes, the head says ${wanted}`, { wanted, found })
}
