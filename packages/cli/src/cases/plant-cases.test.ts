/** Method: a topic of cases in memory, read to its end, or cut as if there were too much of it. */
import type { CaseMessage } from '@millwright/core'
import type { WatchedCase } from '@millwright/monitoring'
import { definePlant, mean, tumbling } from '@millwright/plant'
import { expect, test } from 'vitest'
import type { Watcher } from '../watch/watcher.ts'
import type { ReadSlowly } from './case-topics.ts'
import { PlantCases } from './plant-cases.ts'

const plan = definePlant({
  name: 'presses',
  channels: { vibration: { unit: 'mm/s' } },
  window: tumbling('5 min'),
  features: { vibration: mean('vibration') },
})
const caseId = 'press@1766000400000'
const at = 1_766_000_405_000
// What of a case is not looked at here is left out.
const message = {
  caseId,
  deviceId: 'press',
  from: at - 305_000,
  openedAt: at,
  resolvedAt: null,
  evidence: [{ windowEnd: at }],
}
const messages = [
  { ...message, sequence: 0, change: 'opened', status: 'open', at },
  { ...message, sequence: 1, change: 'resolved', status: 'resolved', at: at + 1000 },
] as unknown as readonly CaseMessage[]

/**
 * @param readCount How many messages are reached; fewer than there are: reading is cut.
 * @param watcher Whose cases they are.
 */
function casesOf(
  readCount: number,
  watcher: Pick<Watcher, 'readUpToMs' | 'isRunning'> | null = { readUpToMs: at, isRunning: true },
): PlantCases {
  const read: ReadSlowly = async ({ topic }, visit) => {
    if (topic !== 'cases') return false
    for (const each of messages.slice(0, readCount))
      visit({ key: each.deviceId, appendTimeMs: each.at, value: Buffer.from(JSON.stringify(each)) })
    return readCount < messages.length
  }
  const unused = async (): Promise<never> => await Promise.reject(new Error('nothing is written here'))
  return new PlantCases({
    store: { appendCases: unused, appendCaseCommands: unused },
    plan,
    read,
    hurry: () => undefined,
    watcher: () => watcher,
    logTimeMs: () => at,
  })
}

test('a case that nobody remembers is shown as its last message left it', async () => {
  expect(await casesOf(2).show(caseId)).toMatchObject({
    case: { status: 'resolved' },
    history: [{ change: 'opened' }, { change: 'resolved' }],
    isCut: false,
  })
  expect(await casesOf(2).show('another@1766000400000')).toBeNull()
})

test.each([
  0, 1,
])('one whose last message was not reached is an error, no earlier state and no missing case (P2): %i read', async (count) => {
  const refused = { code: 'CASE_NOT_READ', retry: 'later' }
  await expect(casesOf(count).show(caseId)).rejects.toMatchObject(refused)
  await expect(casesOf(count).channels(caseId)).rejects.toMatchObject(refused)
})

test('one that the watcher remembers is shown as it stands, and marked where its history is not whole (P2)', async () => {
  const cases = casesOf(1)
  const known = { ...message, status: 'resolved', changedAt: at + 1000 } as unknown as WatchedCase
  cases.changed({ cases: [[caseId, known]], outcomes: [] }, true)
  expect(await cases.show(caseId)).toMatchObject({
    case: { status: 'resolved' },
    history: [{ change: 'opened' }],
    isCut: true,
  })
  expect(await cases.channels(caseId)).toMatchObject({ isCut: false })
})

const hourMs = 3_600_000
test.each([
  ['is held back by a partition that rests', { readUpToMs: at - 90_000, isRunning: true }, false],
  ['is further back than that', { readUpToMs: at - 121_000, isRunning: true }, true],
  ['has read all there is, of a log that rests', { readUpToMs: at + hourMs, isRunning: true }, false],
  ['is an hour behind', { readUpToMs: at - hourMs, isRunning: true }, true],
  ['has failed, and is begun anew in a minute', { readUpToMs: at, isRunning: false }, true],
  ['begins, and has told nothing', { readUpToMs: null, isRunning: true }, true],
])('a list says up to when its cases are known, and whether that is behind (P4): the watcher %s', (_, watcher, isBehind) => {
  const cases = casesOf(0, watcher)
  const query = { status: null, deviceId: null, severity: null, offset: 0, limit: 10 }
  expect(cases.list(query)).toBeNull()
  cases.changed({ cases: [], outcomes: [] }, true)
  expect(cases.list(query)).toMatchObject({ cases: [], total: 0, asOf: watcher.readUpToMs, isBehind })
})
