import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { OutputSink, OutputTopic } from '@millwright/core'

/** Text gathered before it is written: fewer, larger writes; one topic holds at most this and one line. */
const bufferCharactersMax = 1 << 20

/** The files a replay writes, one per topic, each a line of JSON per record. */
export interface OutputFiles {
  readonly sink: OutputSink
  readonly paths: Readonly<Record<OutputTopic, string>>
  /** Writes what is gathered, and returns after it is on stable storage. @throws The system's error, a full disk included. */
  close(): void
}

const topics: readonly OutputTopic[] = [
  'alert-signals',
  'device-features',
  'late-readings',
  'dead-letters',
  'device-status',
]

/**
 * Opens (and empties) one file per topic in `directory`, which is made where it is missing.
 *
 * @param onAlert Told of each line of `alert-signals`, where given.
 */
export function openOutputFiles(directory: string, onAlert?: (line: string) => void): OutputFiles {
  mkdirSync(directory, { recursive: true })
  const files = topics.map((topic) => {
    const path = join(directory, `${topic}.ndjson`)
    return { topic, path, descriptor: openSync(path, 'w'), text: '' }
  })
  const byTopic = new Map(files.map((file) => [file.topic, file]))
  return {
    paths: Object.fromEntries(files.map(({ topic, path }) => [topic, path])) as Record<OutputTopic, string>,
    sink: {
      emit(topic, _deviceId, _inputOffset, line) {
        const file = byTopic.get(topic)
        if (file === undefined) return
        file.text += `${line}\n`
        if (file.text.length > bufferCharactersMax) {
          writeWhole(file.descriptor, file.text)
          file.text = ''
        }
        if (onAlert !== undefined && topic === 'alert-signals') onAlert(line)
      },
    },
    close() {
      for (const file of files) {
        writeWhole(file.descriptor, file.text)
        file.text = ''
        fsyncSync(file.descriptor)
        closeSync(file.descriptor)
      }
    },
  }
}

/** A full disk writes fewer bytes than asked before it refuses: go on until all is written or the system says why not. */
function writeWhole(descriptor: number, text: string): void {
  const bytes = Buffer.from(text)
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written)
}
