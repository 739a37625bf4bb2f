import type { Disk, DiskFile } from '@millwright/core'

/** What changes a disk, and so what can fail on it. */
export type DiskOperation = 'create' | 'write' | 'truncate' | 'sync' | 'rename' | 'unlink' | 'sync-directory'

/**
 * `fail`: answers EIO. `no-space`: a write answers ENOSPC. `short`: a write takes the first half and says so by its count.
 * A failed sync also loses what it should have covered (on a disk that can model it).
 */
export type FaultKind = 'fail' | 'no-space' | 'short'

export interface DiskFault {
  readonly operation: DiskOperation
  readonly fault: FaultKind
  /** Which one of these operations, counted from when the fault is set; 1 is the next. Default 1. */
  readonly at?: number
  /** How many in a row. Default 1; `Infinity` until `heal`. */
  readonly count?: number
  /** Only where the path contains this. */
  readonly path?: string
}

/** Thrown by every operation from the power cut on: the process is to be thought dead. */
export class PowerCutError extends Error {
  readonly code = 'EPOWERCUT'
}

interface ArmedFault extends DiskFault {
  seen: number
}

/**
 * A disk that fails on demand, over any other: in memory, where a power cut can be modelled, or a real folder.
 * Every operation that changes the disk has a number, from 1 on; the same calls give the same numbers.
 */
export class FaultDisk implements Disk {
  readonly #inner: Disk
  #faults: ArmedFault[] = []
  #operationCount = 0
  #cutAt = Number.POSITIVE_INFINITY
  readonly #cut = Promise.withResolvers<void>()
  /** Bytes that files may still grow by. */
  #roomBytes = Number.POSITIVE_INFINITY

  constructor(inner: Disk) {
    this.#inner = inner
  }

  /** Operations so far that change the disk. */
  get operationCount(): number {
    return this.#operationCount
  }

  /** Sets a fault. Several may wait; the first that fits an operation happens. */
  fail(fault: DiskFault): void {
    this.#faults.push({ ...fault, seen: 0 })
  }

  /** Takes all faults back, and the limit of space. */
  heal(): void {
    this.#faults = []
    this.#roomBytes = Number.POSITIVE_INFINITY
  }

  /** Cuts the power at an operation: it reaches the cache at most, and nothing works from then on. */
  cutPowerAt(operation: number): void {
    this.#cutAt = operation
  }

  /** Resolves when the power is cut: what waits for the disk may wait for ever. */
  get whenPowerCut(): Promise<void> {
    return this.#cut.promise
  }

  get isPowerCut(): boolean {
    return this.#operationCount >= this.#cutAt
  }

  /** Lets files grow by so many bytes in all; then writes come short, and then answer ENOSPC. */
  limitRoom(byteLength: number): void {
    this.#roomBytes = byteLength
  }

  open(path: string, mode: 'read' | 'write' | 'create'): DiskFile {
    if (mode !== 'create') return this.#wrap(path, this.#inner.open(path, mode))
    return this.#wrap(
      path,
      this.#change('create', path, () => this.#inner.open(path, mode)),
    )
  }

  exists(path: string): boolean {
    return this.#inner.exists(path)
  }

  list(directory: string): string[] {
    return this.#inner.list(directory)
  }

  makeDirectory(path: string): void {
    if (!this.#inner.exists(path)) this.#change('create', path, () => this.#inner.makeDirectory(path))
  }

  rename(from: string, to: string): void {
    this.#change('rename', to, () => this.#inner.rename(from, to))
  }

  unlink(path: string): void {
    this.#change('unlink', path, () => this.#inner.unlink(path))
  }

  async unlinkAsync(path: string): Promise<void> {
    this.unlink(path)
  }

  syncDirectory(path: string): void {
    this.#change('sync-directory', path, () => this.#inner.syncDirectory(path))
  }

  size(path: string): number {
    return this.#inner.size(path)
  }

  freeBytes(path: string): number {
    return Math.min(this.#roomBytes, this.#inner.freeBytes(path))
  }

  lock(path: string): (() => void) | null {
    return this.#inner.lock(path)
  }

  #wrap(path: string, file: DiskFile): DiskFile {
    return {
      read: (into, position) => file.read(into, position),
      size: () => file.size(),
      close: () => file.close(),
      write: (from, position) => this.#write(path, file, from, position),
      truncate: (length) => this.#change('truncate', path, () => file.truncate(length)),
      sync: () => this.#sync(path, file),
      syncAsync: async () => this.#sync(path, file),
    }
  }

  #write(path: string, file: DiskFile, from: Uint8Array, position: number): number {
    const fault = this.#next('write', path, () => file.write(from, position))
    const growthBytes = Math.max(0, position + from.length - file.size())
    if (fault === 'short') return file.write(from.subarray(0, from.length >> 1), position)
    if (growthBytes > this.#roomBytes) {
      const written = from.length - growthBytes + this.#roomBytes
      this.#roomBytes = 0
      if (written <= 0) throw systemError('ENOSPC', path)
      return file.write(from.subarray(0, written), position)
    }
    this.#roomBytes -= growthBytes
    return file.write(from, position)
  }

  #sync(path: string, file: DiskFile): void {
    try {
      this.#next('sync', path, () => undefined)
    } catch (error) {
      if (!(error instanceof PowerCutError) && 'failSync' in file && typeof file.failSync === 'function')
        file.failSync()
      throw error
    }
    file.sync()
  }

  #change<T>(operation: DiskOperation, path: string, act: () => T): T {
    this.#next(operation, path, act)
    return act()
  }

  /** Counts an operation; throws where it fails, answers `short` where the caller is to write a part. */
  #next(operation: DiskOperation, path: string, act: () => unknown): 'short' | null {
    if (this.isPowerCut) throw new PowerCutError('the power is cut')
    this.#operationCount += 1
    if (this.isPowerCut) {
      this.#cut.resolve()
      // The last operation may have reached the cache; what survives of the cache is decided later.
      act()
      throw new PowerCutError(`the power was cut at operation ${this.#operationCount}: ${operation} ${path}`)
    }
    const fault = this.#fitting(operation, path)
    if (fault === null) return null
    if (fault === 'short' && operation === 'write') return 'short'
    throw systemError(fault === 'no-space' ? 'ENOSPC' : 'EIO', path)
  }

  #fitting(operation: DiskOperation, path: string): FaultKind | null {
    for (const fault of this.#faults) {
      if (fault.operation !== operation || !path.includes(fault.path ?? '')) continue
      fault.seen += 1
      const at = fault.at ?? 1
      if (fault.seen >= at && fault.seen < at + (fault.count ?? 1)) return fault.fault
    }
    return null
  }
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}
