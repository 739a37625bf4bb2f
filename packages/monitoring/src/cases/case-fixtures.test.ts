/**
 * Method: records as they came, in `fixtures/cases/records.ndjson`, and what was written because of them, byte by byte. A fold that says it in other
 * words or another order is another format: docs/formats/topics.md, and whoever reads the topics, must know of it.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AlertSignal, caseChanges, caseCommandKinds, type DeviceStatus, readCaseCommand } from '@millwright/core'
import { expect, test } from 'vitest'
import { CaseBook } from './case-book.ts'

const root = join(import.meta.dirname, '../../../..')
const linesOf = (name: string): string[] =>
  readFileSync(join(root, 'fixtures/cases', name), 'utf8')
    .trimEnd()
    .split('\n')

interface FixtureRecord {
  readonly topic: 'alert-signals' | 'device-status' | 'case-commands'
  readonly atMs: number
  readonly value: string
}
const records = linesOf('records.ndjson').map((line) => JSON.parse(line) as FixtureRecord)

test('what a plant wrote on cases and maintenance-feedback is written the same, byte by byte', () => {
  const book = new CaseBook({ marked: true })
  const outputs = records.flatMap(({ topic, atMs, value }) => {
    if (topic === 'alert-signals') return [...book.alertSignal(JSON.parse(value) as AlertSignal, atMs)]
    if (topic === 'device-status') return [...book.deviceStatus(JSON.parse(value) as DeviceStatus, atMs)]
    return [...book.command(value, atMs)]
  })
  expect(outputs.map(({ message }) => JSON.stringify(message))).toEqual(linesOf('cases.ndjson'))
  expect(outputs.flatMap(({ feedback }) => (feedback === null ? [] : [JSON.stringify(feedback)]))).toEqual(
    linesOf('maintenance-feedback.ndjson'),
  )
})

test('the fixture has every change of a case, every command, and a case that follows another', () => {
  const messages = linesOf('cases.ndjson').map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(new Set(messages.map(({ change }) => change))).toEqual(new Set(caseChanges))
  expect(messages.some(({ follows }) => follows !== null)).toBe(true)
  const commands = records.filter(({ topic }) => topic === 'case-commands').map(({ value }) => readCaseCommand(value))
  const kinds = commands.flatMap((read) => (read.kind === 'command' ? [read.command.command] : []))
  expect(new Set(kinds)).toEqual(new Set(caseCommandKinds))
  expect(commands.some(({ kind }) => kind === 'refused')).toBe(true)
})

test('a command that is read is written as it came: its keys are those of the format, in their order', () => {
  for (const { value } of records.filter(({ topic }) => topic === 'case-commands')) {
    const read = readCaseCommand(value)
    if (read.kind === 'command') expect(JSON.stringify(read.command)).toBe(value)
  }
})

test('the example of cases in docs/formats/topics.md has the keys of a message, in their order', () => {
  const [example = ''] = /\{"caseId"[\s\S]*?\n\n/.exec(readFileSync(join(root, 'docs/formats/topics.md'), 'utf8')) ?? []
  const keysOf = (text: string): string[] => Object.keys(JSON.parse(text) as object)
  expect(keysOf(example)).toEqual(keysOf(linesOf('cases.ndjson')[0] ?? ''))
})
