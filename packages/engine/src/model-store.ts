import { createHash } from 'node:crypto'
import { type Disk, limits } from '@millwright/core'
import { diskError, ModelMissingError } from './errors.ts'

/**
 * Model packages, each under the SHA-256 of its bytes. Written once, by way of a temporary name; a file that is there is
 * whole, and reading checks it again.
 */
export class ModelStore {
  readonly #disk: Disk
  readonly directory: string

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.directory = directory
  }

  /** @param sha256 Lower-case hexadecimal, 64 characters. */
  path(sha256: string): string {
    return `${this.directory}/${sha256}${suffix}`
  }

  /** Hashes of the packages that are there. */
  list(): string[] {
    return this.#disk
      .list(this.directory)
      .filter((name) => name.endsWith(suffix))
      .map((name) => name.slice(0, -suffix.length))
  }

  /**
   * Puts a package on stable storage under its hash; does nothing when it is there.
   *
   * @throws {DiskFullError | DiskFailedError}
   */
  write(bytes: Uint8Array, sha256: string): void {
    const path = this.path(sha256)
    if (this.#disk.exists(path)) return
    const temporary = `${path}.tmp`
    try {
      if (this.#disk.exists(temporary)) this.#disk.unlink(temporary)
      const file = this.#disk.open(temporary, 'create')
      try {
        const written = file.write(bytes, 0)
        if (written < bytes.length) throw Object.assign(new Error('short write'), { code: 'ENOSPC' })
        file.sync()
      } finally {
        file.close()
      }
      this.#disk.rename(temporary, path)
      this.#disk.syncDirectory(this.directory)
    } catch (error) {
      throw diskError(error, 'write the model package', path)
    }
  }

  /** @throws {ModelMissingError} When the package is not there, or its bytes do not have its hash. */
  read(sha256: string): Uint8Array {
    const path = this.path(sha256)
    if (!this.#disk.exists(path))
      throw new ModelMissingError(
        `Cannot find the model package "${path}", which the log refers to: restore it from a backup`,
        { details: { path, sha256 } },
      )
    const file = this.#disk.open(path, 'read')
    try {
      const bytes = Buffer.allocUnsafeSlow(Math.min(file.size(), limits.modelPackageBytesMax))
      const readBytes = file.read(bytes, 0)
      const found = sha256Of(bytes.subarray(0, readBytes))
      if (found !== sha256)
        throw new ModelMissingError(
          `Cannot use the model package "${path}" as its SHA-256 must be its name: found ${found}. Restore it from a backup`,
          { details: { path, sha256, found } },
        )
      return bytes
    } finally {
      file.close()
    }
  }

  /** @throws What the disk throws. */
  async remove(sha256: string): Promise<void> {
    await this.#disk.unlinkAsync(this.path(sha256))
  }
}

const suffix = '.mwmodel'

/** SHA-256 in lower-case hexadecimal. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
