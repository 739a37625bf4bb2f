/** Method: lines as senders write them, from a topic in memory. */
import type { CaseView } from '@millwright/core'
import { definePlant, mean, tumbling } from '@millwright/plant'
import { expect, test } from 'vitest'
import { readCaseChannels } from './case-channels.ts'

const plan = definePlant({
  name: 'presses',
  channels: { vibration: { unit: 'mm/s' } },
  window: tumbling('5 min'),
  features: { vibration: mean('vibration') },
})
const fromMs = 1_766_000_100_000
const windowEndMs = fromMs + 300_000

test.each([
  ['as JSON.stringify does', (id: string) => JSON.stringify(id)],
  ['all but ASCII in escapes, as Python does', (id: string) => JSON.stringify(id).replace('ü', '\\u00fc')],
  ['a slash in an escape, as PHP does', (id: string) => JSON.stringify(id).replace('/', '\\/')],
])('raw channels of a machine are found however its id is written: %s', async (_, written) => {
  const deviceId = 'prüfstand/1'
  const line = (id: string, atMs: number, vibration: number): Buffer =>
    Buffer.from(`{"deviceId":${id},"timestamp":${atMs},"vibration":${vibration}}`)
  const lines = [
    line(written(deviceId), fromMs + 1000, 2),
    line(written(deviceId), fromMs + 2000, 4),
    line(JSON.stringify('another\\'), fromMs + 1000, 100),
    Buffer.from('"\\'),
    // Beyond the span.
    line(written(deviceId), fromMs - 3_600_000, 100),
  ]
  const of = {
    deviceId,
    from: fromMs,
    openedAt: windowEndMs + 5000,
    evidence: [{ windowEnd: windowEndMs, probability: 0.9 }],
  }
  const { channels, isCut } = await readCaseChannels(
    async (_of, visit) => {
      for (const value of lines) if (visit({ key: null, appendTimeMs: fromMs, value }) === 'enough') return false
      return false
    },
    plan,
    of as unknown as CaseView,
  )
  expect(isCut).toBe(false)
  expect(channels).toMatchObject([{ name: 'vibration', unit: 'mm/s', slices: [[expect.any(Number), 2, 3, 4]] }])
})
