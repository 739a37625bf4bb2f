/**
 * Reads random CSV files and compares with pandas, which has its own reader, number parser and time zones.
 * Skipped, with the reason, where there is no Python with pandas.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CsvFormat } from '@millwright/core'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readCsvLines } from './read-csv-lines.ts'

const python =
  process.env.MILLWRIGHT_PYTHON ?? join(import.meta.dirname, '..', '..', '..', '..', '..', '.venv', 'bin', 'python')
const missing = whyMissing()
if (missing !== null) process.stderr.write(`csv-oracle.test.ts is skipped: ${missing}\n`)

function whyMissing(): string | null {
  if (!existsSync(python)) return `no Python at ${python} (set MILLWRIGHT_PYTHON)`
  try {
    execFileSync(python, ['-c', 'import pandas'], { stdio: 'ignore' })
    return null
  } catch {
    return 'that Python has no pandas'
  }
}

const program = `
import json, sys
import pandas as pd
path, delimiter, decimal, zone = sys.argv[1:]
table = pd.read_csv(path, sep=delimiter, decimal=decimal, skipinitialspace=True, float_precision="round_trip",
                    dtype={"machine": "string"}, keep_default_na=False, na_values={"temp": ["", "NaN", "NA", "null"]})
times = pd.to_datetime(table["time"], format="%Y-%m-%d %H:%M:%S.%f")
times = times.dt.tz_localize(zone, ambiguous=[True] * len(times), nonexistent="NaT")
for machine, time, temperature in zip(table["machine"], times, table["temp"]):
    # Space around a cell does not count here, quoted or not; to pandas it is part of a quoted one.
    print(json.dumps([machine.strip(), None if pd.isna(time) else time.value // 1_000_000,
                      None if pd.isna(temperature) else float(temperature)]))
`

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-csv-oracle-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const wallTime = fc
  // Mostly any time; often near a change of the clocks.
  .oneof(
    fc.integer({ min: Date.UTC(1980, 0, 1), max: Date.UTC(2037, 0, 1) }),
    fc.integer({ min: Date.UTC(2024, 2, 31, 0), max: Date.UTC(2024, 2, 31, 5) }),
    fc.integer({ min: Date.UTC(2024, 9, 27, 0), max: Date.UTC(2024, 9, 27, 5) }),
  )
  .map((ms) => new Date(ms).toISOString().replace('T', ' ').replace('Z', ''))
const number = fc.oneof(
  { weight: 6, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map(String) },
  { weight: 2, arbitrary: fc.constantFrom('+5', '.5', '5.', '007', '1.50E-07', '-0', '0.1234567890123456789') },
  { weight: 1, arbitrary: fc.constantFrom('', 'NaN', 'NA', 'null') },
)
const machine = fc.string({
  unit: fc.constantFrom('a', 'é', '7', '"', ',', ';', '\n', '-'),
  minLength: 1,
  maxLength: 6,
})
const rows = fc.array(fc.tuple(wallTime, machine, number), { minLength: 200, maxLength: 200 })

describe.skipIf(missing !== null)('readCsvLines() against pandas', () => {
  test.each([
    { delimiter: ',', decimal: '.' as const, timeZone: 'Europe/Berlin', seed: 61 },
    { delimiter: ';', decimal: ',' as const, timeZone: 'America/New_York', seed: 62 },
    { delimiter: '\t', decimal: '.' as const, timeZone: 'Asia/Kolkata', seed: 63 },
  ])('reads the same ids, instants and numbers ($timeZone, $decimal)', async ({
    delimiter,
    decimal,
    timeZone,
    seed,
  }) => {
    for (const [index, table] of fc.sample(rows, { numRuns: 3, seed }).entries()) {
      const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`
      const content = table.map(([time, id, value]) => [time, quoted(id), value.replace('.', decimal)].join(delimiter))
      const path = join(folder, `${seed}-${index}.csv`)
      writeFileSync(path, `${['time', 'machine', 'temp'].join(delimiter)}\n${content.join('\n')}\n`)
      const answer = execFileSync(python, ['-W', 'ignore', '-c', program, path, delimiter, decimal, timeZone], {
        encoding: 'utf8',
      })
      const wanted = answer
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown[])

      const format: CsvFormat = {
        delimiter,
        decimal,
        deviceId: { column: 'machine' },
        timestamp: { column: 'time', format: 'yyyy-MM-dd HH:mm:ss.SSS', timeZone },
        channels: { temperature: 'temp' },
      }
      const found: unknown[][] = []
      for await (const { bytes } of readCsvLines(path, format))
        for (const line of Buffer.from(bytes).toString().trimEnd().split('\n')) {
          const reading = JSON.parse(line)
          const { deviceId, timestamp, temperature } = reading
          found.push([deviceId, typeof timestamp === 'string' ? null : timestamp, temperature ?? null])
        }
      expect(found).toEqual(wanted)
      expect(found).toHaveLength(table.length)
    }
  })
})
