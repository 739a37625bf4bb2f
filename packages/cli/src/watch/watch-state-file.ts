import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
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
  const bytes = readFileSync(path)
  // Without its last newline; the line before it is the checksum.
  const endAt = bytes.lastIndexOf(10, bytes.length - 2) + 1
  try {
    const [tag, checksum] = JSON.parse(bytes.toString('utf8', endAt)) as Line
    if (tag !== 'end' || checksum !== crc32(bytes.subarray(0, endAt))) return null
    return assemble(bytes.subarray(0, endAt), identity)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
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

function assemble(bytes: Buffer, identity: string): StoredWatch | null {
  let stored: StoredWatch | null = null
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(10, start)
    const line = JSON.parse(bytes.toString('utf8', start, end)) as Line
    start = end + 1
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
