/**
 * Method: messages and commands of `fixtures/cases` are written by an engine whose clock stands still; its logs are held against those that an earlier
 * one wrote, byte by byte. Other bytes are another format (docs/formats/log.md): then the earlier one must still be read.
 */
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CaseLine } from '@millwright/core'
import { expect, onTestFinished, test } from 'vitest'
import { NodeDisk } from './node-disk.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'
import { ManualClock, openTestEngine } from './testing/test-engine.ts'
import { openTopicReader } from './topic-reader.ts'
import { verifyStore } from './verify-store.ts'

const fixtures = join(import.meta.dirname, '../../../fixtures/cases')
const linesOf = (name: string): string[] => readFileSync(join(fixtures, name), 'utf8').trimEnd().split('\n')
const firstSegment = '0000000000000000.mwlog'

/** Messages with their marks: the append time of the cause, and which of that time. */
const messages: CaseLine[] = []
for (const line of linesOf('cases.ndjson')) {
  const { deviceId, at } = JSON.parse(line) as { deviceId: string; at: number }
  const last = messages.at(-1)
  const index = last?.causedAtMs === at ? last.index + 1 : 0
  messages.push({ deviceId, line, causedAtMs: at, index, feedback: null })
}
const commands = linesOf('records.ndjson')
  .map((line) => JSON.parse(line) as { topic: string; value: string })
  .flatMap(({ topic, value }) => (topic === 'case-commands' && value.startsWith('{') ? [value] : []))
  .map((line) => ({ deviceId: (JSON.parse(line) as { deviceId: string }).deviceId, line }))

async function write(directory: string): Promise<void> {
  const engine = await openTestEngine({ disk: new NodeDisk(), directory, clock: new ManualClock(1_766_100_000_000) })
  await engine.appendCaseCommands(commands)
  await engine.appendCases(messages)
  await engine.close()
}

test.each(['commands', 'messages'])('the log of cases/%s has the bytes that it had', async (name) => {
  const directory = join(temporaryFolder(onTestFinished), 'data')
  await write(directory)
  const written = readFileSync(join(directory, 'cases', name, firstSegment))
  expect(written.toString('hex')).toBe(readFileSync(join(fixtures, 'log', name, firstSegment)).toString('hex'))
})

test('the logs that were written earlier are read, and their last mark is known: nothing is written twice', async () => {
  const directory = join(temporaryFolder(onTestFinished), 'data')
  const disk = new NodeDisk()
  await (await openTestEngine({ disk, directory })).close()
  cpSync(join(fixtures, 'log'), join(directory, 'cases'), { recursive: true })
  await write(directory)
  const read = (topic: 'cases' | 'case-commands'): string[] => {
    const reader = openTopicReader({ directory, topic, disk })
    try {
      return [...reader].map(({ value }) => Buffer.from(value).toString())
    } finally {
      reader.close()
    }
  }
  expect(read('cases')).toEqual(messages.map(({ line }) => line))
  // A command has no mark: given twice it is there twice, and the fold knows it by its id.
  expect(read('case-commands')).toEqual([...commands, ...commands].map(({ line }) => line))
  expect(verifyStore(directory).problems).toEqual([])
})
