import {
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  promises,
  readdirSync,
  readSync,
  renameSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Disk, DiskFile } from '@millwright/core'
import { systemCode } from './errors.ts'

/** The real disk, by Node's file system calls. */
export class NodeDisk implements Disk {
  open(path: string, mode: 'read' | 'write' | 'create'): DiskFile {
    return new NodeFile(openSync(path, openFlags[mode]))
  }

  exists(path: string): boolean {
    return existsSync(path)
  }

  list(directory: string): string[] {
    try {
      return readdirSync(directory).sort()
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return []
      throw error
    }
  }

  makeDirectory(path: string): void {
    mkdirSync(path, { recursive: true })
  }

  rename(from: string, to: string): void {
    renameSync(from, to)
  }

  unlink(path: string): void {
    unlinkSync(path)
  }

  async unlinkAsync(path: string): Promise<void> {
    await promises.unlink(path)
  }

  syncDirectory(path: string): void {
    // Windows cannot sync a folder; NTFS keeps names in its own journal.
    if (process.platform === 'win32') return
    const descriptor = openSync(path, 'r')
    try {
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  }

  size(path: string): number {
    return statSync(path).size
  }

  freeBytes(path: string): number {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize
  }

  /**
   * Holds an exclusive lock of SQLite on an empty file: Node itself has no call for the system's file locks. The system
   * drops it with the process, it keeps callers of the same process apart too, and it holds between containers of one
   * machine, where process ids would not (docs/decisions/store-lock.md).
   */
  lock(path: string): (() => void) | null {
    const database = new DatabaseSync(path)
    try {
      // Nothing is ever written, so no journal appears beside the file.
      database.exec('PRAGMA journal_mode=MEMORY; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE')
    } catch (error) {
      database.close()
      if (sqliteCode(error) === sqliteBusy) return null
      throw error
    }
    return () => database.close()
  }
}

class NodeFile implements DiskFile {
  readonly #descriptor: number
  #syncCount = 0
  #closing = false

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  read(into: Uint8Array, position: number): number {
    return readSync(this.#descriptor, into, 0, into.length, position)
  }

  write(from: Uint8Array, position: number): number {
    return writeSync(this.#descriptor, from, 0, from.length, position)
  }

  truncate(length: number): void {
    ftruncateSync(this.#descriptor, length)
  }

  size(): number {
    return fstatSync(this.#descriptor).size
  }

  sync(): void {
    fdatasyncSync(this.#descriptor)
  }

  syncAsync(): Promise<void> {
    this.#syncCount += 1
    return new Promise((resolve, reject) => {
      fdatasync(this.#descriptor, (error) => {
        this.#syncCount -= 1
        if (this.#closing && this.#syncCount === 0) closeSync(this.#descriptor)
        if (error === null) resolve()
        else reject(error)
      })
    })
  }

  /** The descriptor is given back when the last sync under way is done: its number may be another file's at once. */
  close(): void {
    if (this.#closing) return
    this.#closing = true
    if (this.#syncCount === 0) closeSync(this.#descriptor)
  }
}

const openFlags = { read: 'r', write: 'r+', create: 'wx+' } as const
const sqliteBusy = 5

function sqliteCode(error: unknown): number | null {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : null
}
