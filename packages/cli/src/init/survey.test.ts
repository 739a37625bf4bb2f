import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { surveySample } from './survey.ts'
import { createThinnedValues } from './thinned-values.ts'

const folder = mkdtempSync(join(tmpdir(), 'millwright-survey-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('surveySample() says what a file holds: readings, devices, times, values, and what is no reading', async () => {
  const path = join(folder, 'readings.ndjson')
  const start = 1_700_000_000_000
  const line = (deviceId: string, seconds: number, temperature: number | null, state: number): string =>
    JSON.stringify({ deviceId, timestamp: start + seconds * 1000, temperature, state })
  const lines = [
    line('a', 0, 1.5, 0),
    line('b', 1, null, 0),
    line('a', 10, 2.5, 1),
    'x',
    line('b', 11, -4, 2),
    line('a', 10, 3.5, 2),
    line('a', 5, 4.5, 1),
    '{"deviceId":"a"}',
    line('b', 21, 100, 2),
  ]
  writeFileSync(path, lines.join('\n'))
  expect(await surveySample(path, ['temperature', 'state'], null)).toMatchObject({
    readingCount: 7,
    refused: { 'not-json': 1, 'timestamp-missing': 1 },
    deviceCount: 2,
    firstMs: start,
    lastMs: start + 21_000,
    intervalMs: 10_000,
    repeatedCount: 1,
    backwardCount: 1,
    complete: true,
    channels: [
      { name: 'temperature', valueCount: 6, min: -4, max: 100, allWhole: false, risingShare: 1, fallingShare: 0 },
      {
        name: 'state',
        valueCount: 7,
        min: 0,
        max: 2,
        allWhole: true,
        distinctCount: 3,
        risingShare: 3 / 5,
        fallingShare: 1 / 5,
      },
    ],
  })
})

describe('createThinnedValues()', () => {
  test('answers the quantiles of a short series exactly, and of none NaN', () => {
    const values = createThinnedValues()
    expect(values.quantile(0.5)).toBeNaN()
    for (let i = 1000; i >= 0; i--) values.add(i)
    expect([0, 0.001, 0.5, 0.999, 1].map(values.quantile)).toEqual([0, 1, 500, 999, 1000])
  })

  test('answers those of a long series nearly, in the memory of a short one', () => {
    const values = createThinnedValues()
    const count = 1_000_000
    // A permutation of 0 … 999,999 without a pattern that thinning could hit.
    for (let i = 0; i < count; i++) values.add((i * 382_043) % count)
    for (const q of [0.001, 0.25, 0.5, 0.999]) expect(Math.abs(values.quantile(q) / count - q)).toBeLessThan(0.002)
  })
})
