import { existsSync, linkSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type OutputTopic, outputTopics } from '@millwright/core'
import { inputDirectory, modelsDirectory, outputDirectory } from '../data-folder.ts'
import { LogCursor, oldestPosition } from '../log-cursor.ts'
import { ModelCache } from '../model-cache.ts'
import { ModelStore } from '../model-store.ts'
import { NodeDisk } from '../node-disk.ts'
import { feedFrame } from '../operator-feed.ts'
import { firstPosition } from '../operator-start.ts'
import { decodeOutputRecords } from '../output-record.ts'
import { verifyStore } from '../verify-store.ts'
import type { CrashSubject } from './crash-subject.ts'

export interface CrashVerdict {
  readonly lineCount: number
  readonly outputCount: number
  /** What is wrong; empty when every acknowledged line is there once and all outputs equal those of a fresh run. */
  readonly problems: readonly string[]
}

const disk = new NodeDisk()

/**
 * Compares what is stored with what should be: each acknowledged line once, in order, in the partition that it belongs
 * to; the outputs of every topic equal to those of a fresh operator over the whole input, retired segments included.
 */
export async function verifyCrashes(
  root: string,
  subject: CrashSubject,
  acknowledged: ReadonlySet<number>,
): Promise<CrashVerdict> {
  const directory = join(root, 'data')
  const problems = verifyStore(directory).problems.map(({ path, problem }) => `${path}: ${problem}`)
  let lineCount = 0
  let outputCount = 0
  const seen = new Set<number>()
  for (let partition = 0; partition < subject.partitionCount; partition++) {
    const input = wholeInput(root, directory, partition)
    const lines = storedLines(input)
    lineCount += lines.length
    problems.push(...checkLines(lines, partition, subject, seen))
    const expected = await freshOutputs(directory, input, partition, subject)
    for (const topic of outputTopics) {
      const stored = storedOutputs(outputDirectory(directory, topic, partition))
      outputCount += stored.length
      problems.push(...difference(stored, expected.get(topic) ?? [], `${topic} ${partition}`))
    }
  }
  const lost = [...acknowledged].filter((n) => !seen.has(n))
  if (lost.length > 0) problems.push(`${lost.length} acknowledged lines are lost, the first is ${Math.min(...lost)}`)
  return { lineCount, outputCount, problems }
}

/** Links archived and present segments into one folder. */
function wholeInput(root: string, directory: string, partition: number): string {
  const whole = join(root, 'whole', String(partition))
  rmSync(whole, { recursive: true, force: true })
  mkdirSync(whole, { recursive: true })
  for (const folder of [inputDirectory(directory, partition), join(root, 'archive', String(partition))]) {
    if (!existsSync(folder)) continue
    for (const name of readdirSync(folder))
      if (!existsSync(join(whole, name))) linkSync(join(folder, name), join(whole, name))
  }
  return whole
}

function* framesOf(directory: string) {
  const start = oldestPosition(disk, directory)
  if (start === null) return
  const cursor = new LogCursor(disk, directory, start)
  try {
    for (let frame = cursor.next(null); frame !== null; frame = cursor.next(null)) yield frame
  } finally {
    cursor.close()
  }
}

function storedLines(directory: string): string[] {
  const lines: string[] = []
  for (const { header, body } of framesOf(directory))
    if (header.kind === 'readings') lines.push(...body.toString().split('\n').slice(0, -1))
  return lines
}

/** Lines carry their number at the end; each may be there once, in ascending order, as the subject says it. */
function checkLines(lines: readonly string[], partition: number, subject: CrashSubject, seen: Set<number>): string[] {
  const problems: string[] = []
  let last = 0
  for (const text of lines) {
    const n = Number(/(\d+)\D*$/.exec(text)?.[1])
    const expected = subject.line(n)
    if (expected.text !== text || expected.partition !== partition)
      problems.push(`line "${text}" in partition ${partition}`)
    if (n <= last) problems.push(`line ${n} comes after line ${last} in partition ${partition}`)
    last = n
    seen.add(n)
  }
  return problems.slice(0, 5)
}

function storedOutputs(directory: string): string[] {
  const outputs: string[] = []
  for (const { header, body } of framesOf(directory))
    decodeOutputRecords(body, header.recordCount, ({ inputOffset, index, key, value }) =>
      outputs.push(`${inputOffset} ${index} ${key} ${value.toString()}`),
    )
  return outputs
}

async function freshOutputs(
  directory: string,
  input: string,
  partition: number,
  subject: CrashSubject,
): Promise<Map<OutputTopic, string[]>> {
  const outputs = new Map<OutputTopic, string[]>(outputTopics.map((topic) => [topic, []]))
  const last = new Map<OutputTopic, { inputOffset: number; index: number }>()
  const operator = await subject.createOperator(partition, {
    emit: (topic, key, inputOffset, line) => {
      const before = last.get(topic)
      const index = before?.inputOffset === inputOffset ? before.index + 1 : 0
      last.set(topic, { inputOffset, index })
      outputs.get(topic)?.push(`${inputOffset} ${index} ${key} ${line}`)
    },
  })
  const models = new ModelCache(new ModelStore(disk, modelsDirectory(directory)), subject.loadModel)
  const start = { disk, directory: input, models, manifest: null, identity: '', operator, from: 0 }
  const cursor = new LogCursor(disk, input, firstPosition(start))
  for (let frame = cursor.next(null); frame !== null; frame = cursor.next(null)) feedFrame(operator, frame, models)
  operator.flush()
  cursor.close()
  return outputs
}

function difference(stored: readonly string[], expected: readonly string[], name: string): string[] {
  const at = expected.findIndex((output, index) => output !== stored[index])
  if (at !== -1) return [`${name}: output ${at} is "${stored[at]}", and "${expected[at]}" in a fresh run`]
  return stored.length === expected.length
    ? []
    : [`${name}: ${stored.length} outputs, and ${expected.length} in a fresh run`]
}
