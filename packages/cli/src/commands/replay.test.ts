/** Method: the command as a user runs it, in a process of its own. What operators make of readings is tested with them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AlertSignal } from '@millwright/core'
import { afterAll, expect, test } from 'vitest'
import { millwright, pressLines, pressPackage, pressStartMs, writeLines, writeProject } from './command-testing.ts'

const folder = mkdtempSync(join(tmpdir(), 'millwright-replay-'))
afterAll(() => rmSync(folder, { recursive: true }))
const project = writeProject(join(folder, 'project'))
writeFileSync(join(project, 'model.mwmodel'), pressPackage('1'))
const troubled = [
  ...pressLines(0, 4),
  'not a reading',
  `{"deviceId":"press-1","timestamp":${pressStartMs},"temperature":41,"vibration":9}`,
  `{"deviceId":"press-1","timestamp":${pressStartMs + 230_001},"temperature":-40,"vibration":1}`,
  pressLines(3, 4).at(-1) ?? '',
]
const input = writeLines(join(folder, 'readings.ndjson'), troubled)

test('replay writes every topic and says what became of each reading', async () => {
  const out = join(folder, 'out')
  const { code, stdout, stderr } = await millwright('replay', project, '--input', input, '--out', out, '--json')
  expect([code, stderr]).toEqual([0, ''])
  expect(JSON.parse(stdout)).toMatchObject({
    project: 'press-shop',
    readingsIn: 52,
    readingsAccepted: 49,
    readingsDropped: { 'temperature-range': 1 },
    deadLetters: { 'not-json': 1 },
    redelivered: 1,
    late: 1,
    windows: 8,
    alertsHigh: 2,
    model: { name: 'press', version: '1' },
  })
  const linesOf = (topic: string): string[] =>
    readFileSync(join(out, `${topic}.ndjson`), 'utf8')
      .split('\n')
      .slice(0, -1)
  expect(linesOf('device-features')).toHaveLength(8)
  expect(linesOf('late-readings')).toHaveLength(1)
  expect(JSON.parse(linesOf('dead-letters')[0] ?? '')).toMatchObject({ reason: 'not-json', bytes: 'not a reading' })
  const alerts = linesOf('alert-signals').map((line) => JSON.parse(line) as AlertSignal)
  expect(alerts.filter(({ status }) => status !== 'Normal')).toMatchObject([
    {
      deviceId: 'press-2',
      windowStart: pressStartMs + 60_000,
      revision: 0,
      why: [{ feature: 'vibration', value: 3.5 }, {}],
    },
    { deviceId: 'press-2', windowStart: pressStartMs + 180_000, revision: 0 },
  ])
})

test('replay reads several files as one, CSV among them, and scores with the model it is given', async () => {
  const later = join(folder, 'later.csv')
  writeFileSync(later, `time;machine;temp;vib\n${new Date(pressStartMs + 240_000).toISOString()};press-1;40,5;2,75\n`)
  const model = join(folder, 'other.mwmodel')
  writeFileSync(model, pressPackage('2', 1))
  const flags = ['--input', input, later, '--out', join(folder, 'out-2'), '--model', model]
  const { code, stdout, stderr } = await millwright('replay', project, ...flags)
  expect(code).toBe(0)
  expect(stdout.split('\n').map((line) => line.trim().replace(/ {2,}/, ': '))).toEqual([
    'readings in: 53',
    'accepted: 50',
    'dropped by temperature-range: 1',
    'dead letter: not-json: 1',
    'delivered again: 1',
    'late: 1',
    'windows: 9',
    'high-risk alerts: 9',
    '',
  ])
  expect(stderr).toContain('press-shop, model press 2')
})

test('replay without a model gives features only, and says so', async () => {
  const bare = writeProject(join(folder, 'bare'))
  const { code, stdout, stderr } = await millwright('replay', bare, '--input', input, '--out', join(folder, 'out-3'))
  expect(code).toBe(0)
  expect(stdout).toMatch(/not scored \(no model\) +8/)
  expect(stderr).toContain('no model: features only')
})

const misuses: readonly [string, () => readonly string[], number, RegExp][] = [
  [
    'an input that is not there',
    () => [project, '--input', 'absent.ndjson'],
    2,
    /input: found absent\.ndjson, which does not exist/,
  ],
  ['a folder as input', () => [project, '--input', folder], 2, /input: found .*, which is no file/],
  ['no project', () => [join(folder, 'nowhere'), '--input', input], 2, /project: found .*nowhere/],
  [
    'a model that is not there',
    () => [project, '--input', input, '--model', 'absent.ubj'],
    2,
    /--model: found absent\.ubj/,
  ],
  ['a model that is none', () => [project, '--input', input, '--model', input], 1, /./],
  [
    'a plant that counts time by arrival',
    () => [writeProject(join(folder, 'arrival'), "time: { timestamp: 'arrival' },"), '--input', input],
    2,
    /time\.timestamp: found 'arrival'/,
  ],
]

test.each(misuses)('replay refuses %s', async (_, flags, exitCode, message) => {
  const { code, stdout, stderr } = await millwright('replay', ...flags(), '--out', join(folder, 'refused'))
  expect([code, stdout]).toEqual([exitCode, ''])
  expect(stderr).toMatch(message)
  // For a person: no stack.
  expect(stderr).not.toMatch(/\n {4}at /)
})
