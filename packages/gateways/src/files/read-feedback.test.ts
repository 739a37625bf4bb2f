import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { admitFeedback } from '../door/feedback.ts'
import { readFeedback } from './read-feedback.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-feedback-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function admitted(name: string, text: string) {
  const path = join(folder, name)
  writeFileSync(path, text)
  const accepted: unknown[] = []
  const refused: string[] = []
  for await (const { bytes, firstLine } of readFeedback(path)) {
    const admission = admitFeedback(bytes, Number.POSITIVE_INFINITY, firstLine)
    for (const { line } of admission.accepted) accepted.push(JSON.parse(line))
    for (const { line, reason } of admission.refusals) refused.push(`${line} ${reason}`)
  }
  return { accepted, refused }
}

test('readFeedback() makes a verdict of a row of CSV, with what else it says', async () => {
  const rows = [
    '\ufeffid;deviceId;verdict;from;to;failureAt;recordedAt;revision;modelName;modelVersion;note',
    'o-1;press-07;failure-confirmed;2026-01-05T06:00:00+01:00;1767596400000;2026-01-05T06:30:00Z;1767600000000;2;failure;7;"worn; replaced"',
    ';;;;;;;;;;',
    'o-2;press-08;missed-failure;2026-01-05T06:00:00Z;2026-01-05 07:00:00Z;;1767600000000;;;;',
    'o-3;press-08;false-alarm;2026-01-05T06:00:00;2026-01-05T07:00:00Z;;1767600000000;;;;',
    'o-4;press-08;false-alarm',
  ]
  expect(await admitted('verdicts.csv', rows.join('\r\n'))).toEqual({
    accepted: [
      {
        id: 'o-1',
        deviceId: 'press-07',
        verdict: 'failure-confirmed',
        from: Date.UTC(2026, 0, 5, 5),
        to: 1_767_596_400_000,
        failureAt: Date.UTC(2026, 0, 5, 6, 30),
        recordedAt: 1_767_600_000_000,
        revision: 2,
        model: { name: 'failure', version: '7' },
        note: 'worn; replaced',
      },
      {
        id: 'o-2',
        deviceId: 'press-08',
        verdict: 'missed-failure',
        from: Date.UTC(2026, 0, 5, 6),
        to: Date.UTC(2026, 0, 5, 7),
        recordedAt: 1_767_600_000_000,
        revision: 0,
      },
    ],
    refused: ['3 feedback-time', '4 feedback-not-an-object'],
  })
})

test('readFeedback() numbers the lines of NDJSON as they stand in the file', async () => {
  expect(await admitted('verdicts.ndjson', '\n{}\n\nnothing')).toEqual({
    accepted: [],
    refused: ['2 feedback-id', '4 feedback-not-json'],
  })
})

test('readFeedback() names the columns that a CSV file of verdicts lacks', async () => {
  await expect(admitted('verdicts.csv', 'id,deviceId,verdict,from,to\na,b,unclear,1,2\n')).rejects.toMatchObject({
    code: 'CONFIGURATION',
    problems: [{ field: 'recordedAt' }],
  })
  await expect(admitted('verdicts.csv', '')).rejects.toMatchObject({ code: 'CONFIGURATION' })
})
