import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readSync, renameSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { PlantWatchPieces, PlantWatchState } from '@millwright/monitoring'

/**
 * The watcher's state between two runs (docs/formats/watch-state.md): a cache of what the topics say, and of what they said before
 * retention took it.
 *
 * S1. A file is whole or not used: it is written under another name, synced and renamed, and its last line has a checksum of all others.
 * S2. State and positions are of one moment.
 */
export interface StoredWatch {
  /** As the source of the records gave them; of what the identity names. */
  readonly positions: unknown
  readonly state: PlantWatchState
}

/** What is written. */
export interface WatchToStore {
  readonly positions: unknown
  readonly pieces: PlantWatchPieces
}

const version = 5
const readBytes = 64 * 1024
/** Far above the longest that is written: what is longer is damage. */
const lineBytesMax = 256 * 1024 * 1024
const newline = 10
/** Machines in one line: a line of some megabytes at most. */
const machinesPerLine = 500

/** Where the state of a data folder is. */
export function watchStatePath(dataDirectory: string): string {
  return join(dataDirectory, 'watch', 'state.ndjson')
}

/** Where a folder has what was watched on Kafka: beside what an engine in the same folder has. */
export function kafkaWatchFolder(directory: string): string {
  return join(directory, 'watch-kafka')
}

/**
 * Writes the state.
 *
 * @param identity Names what decides the state beside the topics: one of another identity is not used.
 * @throws What the file system throws; the file that was there stays.
 */
export function writeWatchState(path: string, identity: string, watch: WatchToStore): void {
  mkdirSync(dirname(path), { recursive: true })
  const temporary = `${path}.tmp`
  const file = openSync(temporary, 'w')
  try {
    let checksum = 0
    for (const line of linesOf(identity, watch)) {
      const bytes = Buffer.from(`${JSON.stringify(line)}\n`)
      checksum = crc32(bytes, checksum)
      writeWhole(file, bytes)
    }
    writeWhole(file, Buffer.from(`${JSON.stringify(['end', checksum])}\n`))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** Reads the state; `null` where there is none, or none that can be used: it is then made again from the topics. */
export function readWatchState(path: string, identity: string): StoredWatch | null {
  if (!existsSync(path)) return null
  // Line by line: of a million machines it is larger than what is read, or held, at once.
  const file = openSync(path, 'r')
  try {
    return isWhole(file) ? assemble(linesIn(file), identity) : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  } finally {
    closeSync(file)
  }
}

/** Whether the last line has the checksum of all before it. */
function isWhole(file: number): boolean {
  let checksum = 0
  let last: Buffer | null = null
  for (const line of linesIn(file)) {
    if (last !== null) checksum = crc32(last, checksum)
    last = Buffer.from(line)
  }
  if (last === null || last.at(-1) !== newline) return false
  const [tag, found] = JSON.parse(last.toString()) as Line
  return tag === 'end' && found === checksum
}

/** Lines from the beginning, each with its newline but for a last one that has none; valid until the next is asked for. */
function* linesIn(file: number): Generator<Buffer> {
  const block = Buffer.allocUnsafe(readBytes)
  /** Of a line whose end has not come yet. */
  let held: Buffer[] = []
  let heldBytes = 0
  for (let position = 0; ; ) {
    const readCount = readSync(file, block, 0, block.length, position)
    if (readCount === 0) break
    position += readCount
    const read = block.subarray(0, readCount)
    let start = 0
    for (let end = read.indexOf(newline); end >= 0; end = read.indexOf(newline, start)) {
      const rest = read.subarray(start, end + 1)
      yield held.length === 0 ? rest : Buffer.concat([...held, rest])
      held = []
      heldBytes = 0
      start = end + 1
    }
    if (start === readCount) continue
    held.push(Buffer.from(read.subarray(start)))
    heldBytes += readCount - start
    if (heldBytes > lineBytesMax) throw new SyntaxError(`a line of more than ${lineBytesMax} bytes is none of a state`)
  }
  if (held.length > 0) yield Buffer.concat(held)
}

type Line = readonly [tag: string, ...rest: readonly unknown[]]

/** The large lists apart from the rest, in pieces. */
function* linesOf(identity: string, { positions, pieces }: WatchToStore): Generator<Line> {
  const { state, verdicts, quality, cases, drift } = pieces
  yield ['millwright-watch', version, identity]
  yield ['state', positions, state]
  for (const piece of inLines(verdicts)) yield ['verdicts', piece]
  for (const piece of inLines(quality)) yield ['quality', piece]
  for (const piece of inLines(cases)) yield ['cases', piece]
  for (const [index, machines] of drift.entries()) for (const piece of inLines(machines)) yield ['drift', piece, index]
}

function assemble(lines: Iterable<Buffer>, identity: string): StoredWatch | null {
  let stored: StoredWatch | null = null
  for (const bytes of lines) {
    const line = JSON.parse(bytes.toString()) as Line
    const [tag, first, second] = line
    if (tag === 'millwright-watch' && (first !== version || second !== identity)) return null
    if (tag === 'state') stored = { positions: first, state: second as PlantWatchState }
    if (stored === null) continue
    const { verdicts, quality, drift, cases } = stored.state
    const lists: Readonly<Record<string, readonly unknown[] | undefined>> = {
      verdicts: verdicts.devices,
      quality: quality.machines,
      cases: cases.devices,
      drift: drift.versions[Number(second)]?.state.devices,
    }
    // Parsed a moment ago, and nobody else's: they may grow.
    if (tag !== 'state') (lists[tag] as unknown[] | undefined)?.push(...(first as unknown[]))
  }
  return stored
}

function* inLines<T>(all: Iterable<T>): Generator<readonly T[]> {
  let line: T[] = []
  for (const each of all) {
    line.push(each)
    if (line.length < machinesPerLine) continue
    yield line
    line = []
  }
  if (line.length > 0) yield line
}

function writeWhole(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
}
