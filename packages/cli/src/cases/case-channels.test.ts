/** Method: lines as senders write them, from a topic in memory. */
import type { CaseView } from '@millwright/core'
import { definePlant, mean, tumbling } from '@millwright/plant'
import { describe, expect, test } from 'vitest'
import { readCaseChannels } from './case-channels.ts'
import type { ReadSlowly } from './case-topics.ts'

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

describe('of a topic with append times', () => {
  const hourMs = 3_600_000
  const hourly = definePlant({
    name: 'kilns',
    channels: { vibration: { unit: 'mm/s' } },
    window: tumbling('1 h'),
    features: { vibration: mean('vibration') },
  })
  const startMs = Math.ceil(fromMs / hourMs) * hourMs
  const lastReadingMs = startMs + 40 * 60_000
  const of = (openedAt: number): CaseView => {
    const evidence = [{ windowEnd: startMs + hourMs, probability: 0.9 }]
    return { deviceId: 'kiln-1', from: startMs, openedAt, evidence } as unknown as CaseView
  }

  /** A reading a minute for days, up to the last, each appended so long after its time. */
  function topicOf(delayMs: number): { read: ReadSlowly; begunAt: number[] } {
    const begunAt: number[] = []
    const read: ReadSlowly = async ({ fromTimeMs }, visit) => {
      begunAt.push(fromTimeMs)
      for (let atMs = startMs - 48 * hourMs; atMs <= lastReadingMs; atMs += 60_000) {
        if (atMs + delayMs < fromTimeMs) continue
        const value = Buffer.from(`{"deviceId":"kiln-1","timestamp":${atMs},"vibration":2}`)
        if (visit({ key: null, appendTimeMs: atMs + delayMs, value }) === 'enough') return false
      }
      return false
    }
    return { read, begunAt }
  }
  const shownFrom = async (read: ReadSlowly, openedAt: number): Promise<(number | undefined)[]> => {
    const { channels } = await readCaseChannels(read, hourly, of(openedAt))
    return [channels[0]?.slices[0]?.[0], channels[0]?.slices.at(-1)?.[0]]
  }
  const all = [startMs - 30 * 60_000, expect.toSatisfy((atMs: number) => atMs > lastReadingMs - 60_000)]

  test('a machine that broke, and whose window closed at its silence, has its readings', async () => {
    expect(hourly.time.silentAfterMs).toBe(2 * hourMs)
    expect(await shownFrom(topicOf(0).read, lastReadingMs + 2 * hourMs)).toEqual(all)
  })

  test('readings of long ago that were read in lately are found', async () => {
    const delayMs = 400 * 24 * hourMs
    expect(await shownFrom(topicOf(delayMs).read, lastReadingMs + delayMs)).toEqual(all)
  })

  test('nothing is read that was appended before any reading of the span could be', async () => {
    const { read, begunAt } = topicOf(0)
    await shownFrom(read, startMs + hourMs + 5000)
    expect(begunAt).toEqual([startMs - 30 * 60_000 - hourly.time.maxClockAheadMs])
  })
})
