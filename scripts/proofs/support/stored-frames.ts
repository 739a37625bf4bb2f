import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

/**
 * Reads a data folder by its documented bytes alone (docs/formats/log.md), without a line of the engine: what a proof says
 * of the log must not hang on the code that wrote it.
 */

const headerBytes = 32
const syncedBeforeBit = 0x80
const kinds = { readings: 2, 'device-events': 3, activation: 4, heartbeat: 5, outputs: 6, 'model-update': 7 } as const
const inputKinds = ['readings', 'device-events', 'activation', 'heartbeat'] as const
const noKey = 0xffff

interface StoredFrame {
  readonly kind: number
  readonly baseOffset: number
  readonly appendTimeMs: number
  readonly recordCount: number
  readonly extension: Buffer
  readonly body: Buffer
}

/** One reading in the log of a partition. */
export interface StoredLine {
  readonly offset: number
  readonly appendTimeMs: number
  readonly line: string
}

/** What came into a partition at once: lines, an activation (the body is its update), or nothing but the time. */
export interface StoredInput {
  readonly kind: 'readings' | 'device-events' | 'activation' | 'heartbeat'
  readonly baseOffset: number
  readonly appendTimeMs: number
  readonly body: Buffer
}

/** A model update as one partition saw it. */
export interface StoredActivation {
  readonly offset: number
  readonly seenAtMs: number
  /** Place of the update in the log of model updates. */
  readonly updateOffset: number
}

/** One record of an output topic. */
export interface StoredOutput {
  readonly offset: number
  /** The input record that caused it, and which of that record's outputs it is. */
  readonly inputOffset: number
  readonly index: number
  readonly key: string | null
  readonly value: string
}

/** One publication. */
export interface StoredUpdate {
  readonly name: string
  readonly version: string
  readonly activeFrom: number
}

/** Readings of a partition, in the order of its log. */
export function* storedReadings(dataFolder: string, partition: number): Generator<StoredLine> {
  for (const { kind, baseOffset, appendTimeMs, body } of framesOf(join(dataFolder, 'input', String(partition)))) {
    if (kind !== kinds.readings) continue
    const lines = body.toString('latin1').split('\n')
    if (lines.at(-1) === '') lines.pop()
    for (const [i, line] of lines.entries()) yield { offset: baseOffset + i, appendTimeMs, line }
  }
}

/** All that a partition's operator was given, in the order of its log. */
export function* storedInput(dataFolder: string, partition: number): Generator<StoredInput> {
  for (const { kind, baseOffset, appendTimeMs, body } of framesOf(join(dataFolder, 'input', String(partition)))) {
    const name = inputKinds.find((one) => kinds[one] === kind)
    if (name !== undefined) yield { kind: name, baseOffset, appendTimeMs, body }
  }
}

/** Activations of a partition, in the order of its log. */
export function storedActivations(dataFolder: string, partition: number): StoredActivation[] {
  return [...framesOf(join(dataFolder, 'input', String(partition)))].flatMap(
    ({ kind, baseOffset, appendTimeMs, extension }) =>
      kind === kinds.activation
        ? [{ offset: baseOffset, seenAtMs: appendTimeMs, updateOffset: extension.readUIntLE(0, 6) }]
        : [],
  )
}

/** Publications, in order: each one's place in the list is its offset. */
export function storedUpdates(dataFolder: string): StoredUpdate[] {
  return [...framesOf(join(dataFolder, 'model-updates'))].flatMap(({ kind, body }) =>
    kind === kinds['model-update'] ? [JSON.parse(body.toString()) as StoredUpdate] : [],
  )
}

/** Records of an output topic in one partition, in order. */
export function storedOutputs(dataFolder: string, topic: string, partition: number): Generator<StoredOutput> {
  return outputsOf(join(dataFolder, 'output', topic, String(partition)))
}

function* outputsOf(logFolder: string): Generator<StoredOutput> {
  for (const { kind, baseOffset, recordCount, body } of framesOf(logFolder)) {
    if (kind !== kinds.outputs) continue
    let at = 0
    for (let record = 0; record < recordCount; record++) {
      const valueBytes = body.readUInt32LE(at)
      const keyLength = body.readUInt16LE(at + 4)
      const valueAt = at + 16 + (keyLength === noKey ? 0 : keyLength)
      yield {
        offset: baseOffset + record,
        inputOffset: body.readUIntLE(at + 6, 6),
        index: body.readUInt32LE(at + 12),
        key: keyLength === noKey ? null : body.toString('utf8', at + 16, valueAt),
        value: body.toString('utf8', valueAt, valueAt + valueBytes),
      }
      at = valueAt + valueBytes
    }
  }
}

/** What stands in a log of outputs, in order: that of `cases`, for instance, which has one partition. */
export function storedLines(logFolder: string): string[] {
  return [...outputsOf(logFolder)].map(({ value }) => value)
}

/** Partitions that a data folder has. */
export function partitionsOf(dataFolder: string): number[] {
  return readdirSync(join(dataFolder, 'input'))
    .map(Number)
    .sort((a, b) => a - b)
}

/** @throws When a frame is not what its checksums say, or does not follow the one before. */
function* framesOf(folder: string): Generator<StoredFrame> {
  if (!existsSync(folder)) return
  // Segments are named by their first offset, with leading zeros.
  const segments = readdirSync(folder).sort()
  let nextOffset: number | null = null
  for (const segment of segments) {
    const bytes = readFileSync(join(folder, segment))
    for (let at = 0; at < bytes.length; ) {
      const place = `${join(folder, segment)}, byte ${at}`
      if (bytes.toString('latin1', at, at + 2) !== 'MW') throw new Error(`${place}: no frame`)
      if (crc32(bytes.subarray(at, at + 28)) !== bytes.readUInt32LE(at + 28)) throw new Error(`${place}: bad header`)
      const extensionBytes = bytes[at + 3] as number
      const bodyAt = at + headerBytes + extensionBytes
      const end = bodyAt + bytes.readUInt32LE(at + 4)
      if (crc32(bytes.subarray(at + headerBytes, end)) !== bytes.readUInt32LE(at + 24))
        throw new Error(`${place}: bad payload`)
      const baseOffset = bytes.readUIntLE(at + 8, 6)
      const recordCount = bytes.readUInt32LE(at + 20)
      if (nextOffset !== null && baseOffset !== nextOffset)
        throw new Error(`${place}: offset ${baseOffset} follows ${nextOffset}`)
      nextOffset = baseOffset + recordCount
      yield {
        kind: (bytes[at + 2] as number) & ~syncedBeforeBit,
        baseOffset,
        appendTimeMs: bytes.readUIntLE(at + 14, 6),
        recordCount,
        extension: bytes.subarray(at + headerBytes, bodyAt),
        body: bytes.subarray(bodyAt, end),
      }
      at = end
    }
  }
}
