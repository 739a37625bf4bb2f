import { type Disk, decodeUtf8, type OutputTopic, outputTopics } from '@millwright/core'
import { inputDirectory, modelsDirectory, outputDirectory } from '../data-folder.ts'
import type { Engine } from '../engine.ts'
import type { EngineOptions } from '../engine-options.ts'
import { decodeActivationExtension } from '../input-extension.ts'
import { LogCursor, oldestPosition } from '../log-cursor.ts'
import { ModelCache } from '../model-cache.ts'
import { ModelStore, sha256Of } from '../model-store.ts'
import { openEngine } from '../open-engine.ts'
import { feedFrame } from '../operator-feed.ts'
import { firstPosition } from '../operator-start.ts'
import { decodeOutputRecords } from '../output-record.ts'
import { loadTestModel, SumOperator } from './sum-operator.ts'

/** A clock that stands still until it is set. */
export class ManualClock {
  #nowMs: number

  constructor(nowMs = 1_766_000_000_000) {
    this.#nowMs = nowMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  advance(byMs: number): void {
    this.#nowMs += byMs
  }
}

export type TestEngineOptions = Partial<EngineOptions> & { readonly disk: Disk; readonly silentAfterMs?: number }

/** Opens an engine with {@link SumOperator}s in this thread, which does nothing by time unless it is ticked. */
export async function openTestEngine({ silentAfterMs, ...options }: TestEngineOptions): Promise<Engine> {
  return await openEngine({
    directory: '/data',
    partitionCount: 2,
    identity: 'sums-1',
    operators: {
      mode: 'inline',
      createOperator: (_partition, sink) => new SumOperator(sink, silentAfterMs === undefined ? {} : { silentAfterMs }),
      loadModel: loadTestModel,
    },
    validateModel: (bytes) => {
      const { name, version } = JSON.parse(decodeUtf8(bytes) ?? '') as { name: string; version: string }
      return { name, version, sha256: sha256Of(bytes) }
    },
    ticks: 'manual',
    clock: new ManualClock(),
    ...options,
  })
}

/**
 * Returns what opens test engines and has each closed when its test is over, whatever became of it.
 *
 * @param afterEach The test runner's.
 * @param common What all of them are opened with.
 */
export function closingTestEngines(
  afterEach: (closeAll: () => Promise<void>) => void,
  common: Partial<TestEngineOptions> = {},
): (options: TestEngineOptions) => Promise<Engine> {
  const opened: Engine[] = []
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((engine) => engine.close()))
  })
  return async (options) => {
    const engine = await openTestEngine({ ...common, ...options })
    opened.push(engine)
    return engine
  }
}

/** One output, as tests compare them: without place. */
export interface PlainOutput {
  readonly inputOffset: number
  readonly index: number
  readonly key: string | null
  readonly value: string
}

/** All outputs on disk of one topic and partition, in order. */
export function storedOutputs(disk: Disk, topic: OutputTopic, partition: number, directory = '/data'): PlainOutput[] {
  const outputs: PlainOutput[] = []
  for (const frame of frames(disk, outputDirectory(directory, topic, partition)))
    decodeOutputRecords(frame.body, frame.header.recordCount, ({ inputOffset, index, key, value }) =>
      outputs.push({ inputOffset, index, key, value: value.toString() }),
    )
  return outputs
}

/** Append times in the order of a log: those of the outputs of a topic with the input that caused each, or those of the input. */
export function storedTimes(disk: Disk, topic: OutputTopic | 'input', partition: number): Map<number, number> {
  const times = new Map<number, number>()
  const folder = topic === 'input' ? inputDirectory('/data', partition) : outputDirectory('/data', topic, partition)
  for (const { header, body } of frames(disk, folder)) {
    const { baseOffset, recordCount, appendTimeMs } = header
    if (topic === 'input')
      for (let record = 0; record < recordCount; record++) times.set(baseOffset + record, appendTimeMs)
    else decodeOutputRecords(body, recordCount, ({ inputOffset }) => times.set(inputOffset, appendTimeMs))
  }
  return times
}

/** The lines that are in the input log of a partition, in order, with their kinds. */
export function storedLines(disk: Disk, partition: number, directory = '/data'): { kind: string; line: string }[] {
  const lines: { kind: string; line: string }[] = []
  for (const { header, body } of frames(disk, inputDirectory(directory, partition)))
    if (header.kind === 'readings' || header.kind === 'device-events')
      for (const line of body.toString().split('\n').slice(0, -1)) lines.push({ kind: header.kind, line })
  return lines
}

/** Offsets of the model updates that are activated in the input log of a partition, in order. */
export function storedActivations(disk: Disk, partition: number, directory = '/data'): number[] {
  return [...frames(disk, inputDirectory(directory, partition))].flatMap(({ header, extension }) =>
    header.kind === 'activation' ? [decodeActivationExtension(extension)] : [],
  )
}

/**
 * The outputs of a fresh operator over the input log as it is on disk: what the engine's own outputs must equal, however
 * often it was killed.
 */
export function freshOutputs(
  disk: Disk,
  partition: number,
  options: { directory?: string; silentAfterMs?: number } = {},
): Map<OutputTopic, PlainOutput[]> {
  const { directory = '/data', silentAfterMs } = options
  const outputs = new Map<OutputTopic, PlainOutput[]>(outputTopics.map((topic) => [topic, []]))
  const operator = new SumOperator(
    {
      emit: (topic, key, inputOffset, value) => {
        const before = outputs.get(topic) ?? []
        const last = before.at(-1)
        const index = last?.inputOffset === inputOffset ? last.index + 1 : 0
        before.push({ inputOffset, index, key, value })
      },
    },
    silentAfterMs === undefined ? {} : { silentAfterMs },
  )
  const models = new ModelCache(new ModelStore(disk, modelsDirectory(directory)), loadTestModel)
  const log = inputDirectory(directory, partition)
  const start = { disk, directory: log, models, manifest: null, identity: '', operator, from: 0 }
  const cursor = new LogCursor(disk, log, firstPosition(start))
  for (let frame = cursor.next(null); frame !== null; frame = cursor.next(null)) feedFrame(operator, frame, models)
  operator.flush()
  cursor.close()
  return outputs
}

function* frames(disk: Disk, directory: string) {
  const start = oldestPosition(disk, directory)
  if (start === null) return
  const cursor = new LogCursor(disk, directory, start)
  try {
    for (let frame = cursor.next(null); frame !== null; frame = cursor.next(null)) yield frame
  } finally {
    cursor.close()
  }
}

/** Lines as one part of an append. */
export function part(
  partition: number,
  ...lines: string[]
): { partition: number; lines: Uint8Array; lineCount: number } {
  return { partition, lines: Buffer.from(lines.map((line) => `${line}\n`).join('')), lineCount: lines.length }
}
