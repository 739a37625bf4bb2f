import type { Disk, DiskFile } from '@millwright/core'
import { MemoryFile, MemoryFileContent } from './disk-memory-file.ts'
import { seededRandom } from './scenario-plan.ts'

/** Something in a folder: a file or another folder. */
type Entry =
  | { readonly kind: 'file'; readonly content: MemoryFileContent }
  | { readonly kind: 'folder'; readonly folder: Folder }

/**
 * A folder twice: as calls see it, and as a power cut leaves it.
 *
 * V1. A name that was made, changed or removed is durable after the folder's own sync; until then a power cut may leave
 *     any of the changes, without regard to their order: more than that POSIX does not promise.
 */
class Folder {
  readonly entries: Map<string, Entry>
  readonly durable: Map<string, Entry>
  unsynced: ((entries: Map<string, Entry>) => void)[] = []

  constructor(entries = new Map<string, Entry>()) {
    this.entries = entries
    this.durable = new Map(entries)
  }

  change(change: (entries: Map<string, Entry>) => void): void {
    change(this.entries)
    this.unsynced.push(change)
  }

  sync(): void {
    for (const change of this.unsynced) change(this.durable)
    this.unsynced = []
  }
}

/** A disk in memory that knows what would survive a power cut. Paths are absolute, parted by `/`. */
export class MemoryDisk implements Disk {
  readonly #root: Folder
  readonly #locked = new Set<string>()

  constructor() {
    this.#root = new Folder()
  }

  open(path: string, mode: 'read' | 'write' | 'create'): DiskFile {
    const [folder, name] = this.#parent(path)
    const entry = folder.entries.get(name)
    if (mode === 'create') {
      if (entry !== undefined) throw failure('EEXIST', path)
      const content = new MemoryFileContent()
      folder.change((entries) => entries.set(name, { kind: 'file', content }))
      return new MemoryFile(content)
    }
    if (entry?.kind !== 'file') throw failure(entry === undefined ? 'ENOENT' : 'EISDIR', path)
    return new MemoryFile(entry.content)
  }

  exists(path: string): boolean {
    return this.#find(path) !== null
  }

  list(directory: string): string[] {
    const entry = this.#find(directory)
    return entry?.kind === 'folder' ? [...entry.folder.entries.keys()].sort() : []
  }

  makeDirectory(path: string): void {
    let folder = this.#root
    for (const name of partsOf(path)) {
      const entry = folder.entries.get(name)
      if (entry?.kind === 'file') throw failure('ENOTDIR', path)
      const next: Folder = entry?.folder ?? new Folder()
      if (entry === undefined) folder.change((entries) => entries.set(name, { kind: 'folder', folder: next }))
      folder = next
    }
  }

  rename(from: string, to: string): void {
    const [folder, name] = this.#parent(from)
    const [toFolder, toName] = this.#parent(to)
    const entry = folder.entries.get(name)
    if (entry === undefined) throw failure('ENOENT', from)
    if (folder !== toFolder) throw failure('EXDEV', to)
    // One change: after a power cut the old name is there or the new one, never none.
    folder.change((entries) => {
      entries.delete(name)
      entries.set(toName, entry)
    })
  }

  unlink(path: string): void {
    const [folder, name] = this.#parent(path)
    if (folder.entries.get(name)?.kind !== 'file') throw failure('ENOENT', path)
    folder.change((entries) => entries.delete(name))
  }

  async unlinkAsync(path: string): Promise<void> {
    this.unlink(path)
  }

  syncDirectory(path: string): void {
    const entry = this.#find(path)
    if (entry?.kind !== 'folder') throw failure('ENOENT', path)
    entry.folder.sync()
  }

  size(path: string): number {
    const entry = this.#find(path)
    if (entry?.kind !== 'file') throw failure('ENOENT', path)
    return entry.content.length
  }

  freeBytes(): number {
    return Number.POSITIVE_INFINITY
  }

  lock(path: string): (() => void) | null {
    if (this.#locked.has(path)) return null
    if (!this.exists(path)) this.open(path, 'create').close()
    this.#locked.add(path)
    return () => this.#locked.delete(path)
  }

  /** The process that used the disk was killed: everything written is there as it was, synced or not; its locks are gone. */
  killProcess(): void {
    this.#locked.clear()
  }

  /** Another disk with the same files, all of it durable, and no locks. */
  copy(): MemoryDisk {
    return this.#copy(
      (folder) => folder.entries,
      (content) => new MemoryFileContent(content.bytes()),
    )
  }

  /** Another disk, as a power cut leaves it: what was synced, and some of what was not. This one goes on by itself. */
  afterPowerCut(seed: number): MemoryDisk {
    const chance = seededRandom(seed)
    return this.#copy(
      (folder) => {
        const left = new Map(folder.durable)
        const probability = chance()
        for (const change of folder.unsynced) if (chance() < probability) change(left)
        return left
      },
      (content) => content.afterPowerCut(chance),
    )
  }

  /** Every file with its bytes, by path: to compare disks. */
  files(): Map<string, Uint8Array> {
    const found = new Map<string, Uint8Array>()
    const visit = (folder: Folder, path: string): void => {
      for (const [name, entry] of folder.entries)
        if (entry.kind === 'folder') visit(entry.folder, `${path}/${name}`)
        else found.set(`${path}/${name}`, entry.content.bytes())
    }
    visit(this.#root, '')
    return found
  }

  /** Puts a file there, folders included, all of it durable: for tests that damage one. */
  place(path: string, bytes: Uint8Array): void {
    this.makeDirectory(path.slice(0, path.lastIndexOf('/')))
    const [folder, name] = this.#parent(path)
    folder.change((entries) => entries.set(name, { kind: 'file', content: new MemoryFileContent(bytes) }))
    folder.sync()
  }

  #copy(
    entriesOf: (folder: Folder) => ReadonlyMap<string, Entry>,
    contentOf: (content: MemoryFileContent) => MemoryFileContent,
  ): MemoryDisk {
    const copied = new Map<MemoryFileContent, MemoryFileContent>()
    const copyFolder = (folder: Folder): Folder => {
      const entries = new Map<string, Entry>()
      for (const [name, entry] of entriesOf(folder)) {
        if (entry.kind === 'folder') entries.set(name, { kind: 'folder', folder: copyFolder(entry.folder) })
        else {
          const content = copied.get(entry.content) ?? contentOf(entry.content)
          copied.set(entry.content, content)
          entries.set(name, { kind: 'file', content })
        }
      }
      return new Folder(entries)
    }
    return MemoryDisk.#of(copyFolder(this.#root))
  }

  static #of(root: Folder): MemoryDisk {
    const disk = new MemoryDisk()
    for (const [name, entry] of root.entries) disk.#root.change((entries) => entries.set(name, entry))
    disk.#root.sync()
    return disk
  }

  #find(path: string): Entry | null {
    let entry: Entry = { kind: 'folder', folder: this.#root }
    for (const name of partsOf(path)) {
      const next: Entry | undefined = entry.kind === 'folder' ? entry.folder.entries.get(name) : undefined
      if (next === undefined) return null
      entry = next
    }
    return entry
  }

  #parent(path: string): [Folder, string] {
    const parts = partsOf(path)
    const name = parts.pop()
    const entry = this.#find(`/${parts.join('/')}`)
    if (name === undefined || entry?.kind !== 'folder') throw failure('ENOENT', path)
    return [entry.folder, name]
  }
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '')
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}
