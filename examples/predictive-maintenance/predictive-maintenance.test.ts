/**
 * Method: the example is data and documents, so these tests hold what was committed against its sources: the readings
 * against the blocks, the card against the metrics, the model against a training of its own by Python's XGBoost (skipped,
 * with the reason, where there is none).
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { AlertSignal, OutputTopic } from '@millwright/core'
import { createPartitionOperator, createReadingDecoder } from '@millwright/operators'
import { compileScorer, readXgboostModel } from '@millwright/scoring'
import { afterAll, describe, expect, test } from 'vitest'
import plan from './millwright.config.ts'

const example = import.meta.dirname
const root = join(example, '..', '..')
const scratch = mkdtempSync(join(tmpdir(), 'millwright-example-'))
afterAll(() => rmSync(scratch, { recursive: true }))

const windowMs = 300_000
interface Reading {
  readonly deviceId: string
  readonly timestampMs: number
  readonly temperature: number
  readonly vibration: number
  readonly pressure: number
}

function readingsOf(name: string): Reading[] {
  const lines = gunzipSync(readFileSync(join(example, 'input', name)))
    .toString()
    .trimEnd()
    .split('\n')
  return lines.map((line) => {
    const { timestamp, ...reading } = JSON.parse(line)
    return { ...reading, timestampMs: Date.parse(timestamp) }
  })
}

const readings = { test: readingsOf('readings.ndjson.gz'), training: readingsOf('training-readings.ndjson.gz') }
const blocks = readFileSync(join(example, 'input', 'blocks.csv'), 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line) => {
    const [block = '', start = '', end = '', use = ''] = line.split(',')
    return { block, startMs: Date.parse(start), endMs: Date.parse(end), use: use as 'test' | 'training' }
  })
const leaks = new Map(
  readFileSync(join(example, 'input', 'labels.csv'), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [start = '', , , pumpLeak] = line.split(',')
      return [Date.parse(start), pumpLeak !== '0']
    }),
)
const leakingMinutes = (windowStartMs: number): number =>
  [0, 1, 2, 3, 4].filter((minute) => leaks.get(windowStartMs + minute * 60_000)).length
const metrics = JSON.parse(readFileSync(join(example, 'model', 'metrics.json'), 'utf8'))

describe('input', () => {
  test('blocks follow each other without gap or overlap and hold whole windows', () => {
    for (const [i, { startMs, endMs }] of blocks.entries()) {
      expect([startMs % windowMs, endMs % windowMs]).toEqual([0, 0])
      if (i > 0) expect(startMs).toBe(blocks[i - 1]?.endMs)
    }
  })

  test.each(['test', 'training'] as const)('%s readings are each second of their blocks, once and in order', (use) => {
    const wanted = blocks
      .filter((block) => block.use === use)
      .flatMap(({ startMs, endMs }) =>
        Array.from({ length: (endMs - startMs) / 1000 }, (_, second) => startMs + second * 1000),
      )
    expect(readings[use].map(({ timestampMs }) => timestampMs)).toEqual(wanted)
    expect(new Set(readings[use].map(({ deviceId }) => deviceId))).toEqual(new Set(['hydrig-01']))
    for (const { temperature, vibration, pressure } of readings[use])
      expect([temperature, vibration, pressure].every(Number.isFinite)).toBe(true)
  })
})

describe('millwright.config.ts', () => {
  test('has the features and the threshold with which the model was trained and judged', () => {
    expect(plan.features.map(({ name }) => name)).toEqual(metrics.features)
    expect(plan.alert.threshold).toBe(metrics.threshold)
    const model = JSON.parse(readFileSync(join(example, 'model', 'model.json'), 'utf8'))
    expect(model.learner.feature_names).toEqual(metrics.features)
  })
})

describe('the whole way', () => {
  test('the test readings give the alerts that the model card counts, right and wrong', () => {
    const scorer = compileScorer(readXgboostModel(readFileSync(join(example, 'model', 'model.json'))))
    const signals: AlertSignal[] = []
    const emit = (topic: OutputTopic, _deviceId: string | null, _offset: number, line: string): void => {
      if (topic === 'alert-signals') signals.push(JSON.parse(line))
    }
    const channels = plan.channels.map(({ name }) => name)
    const decoder = createReadingDecoder({ channels, timestamp: 'event', devicesMax: 10 })
    const operator = createPartitionOperator({ plan, decoder, sink: { emit } })
    const featureNames = plan.features.map(({ name }) => name)
    const model = { name: 'pump-leak', version: '1', sha256: '0'.repeat(64), threshold: 0.8, featureNames, scorer }
    operator.activate({ model, activeFromMs: Number.NEGATIVE_INFINITY, seenAtMs: Number.NaN }, 0)
    operator.readings(gunzipSync(readFileSync(join(example, 'input', 'readings.ndjson.gz'))), 0, Number.NaN)
    operator.endOfInput(readings.test.length)
    operator.flush()

    const alerts = signals.filter(({ status }) => status === 'High risk of failure')
    const isLeaking = ({ windowStart }: AlertSignal): boolean => leakingMinutes(windowStart) >= 3
    expect(signals.length).toBe(metrics.test.windows)
    expect(signals.filter(isLeaking).length).toBe(metrics.test.positive)
    expect(alerts.filter(isLeaking).length).toBe(metrics.test.truePositive)
    expect(alerts.length).toBe(metrics.test.truePositive + metrics.test.falsePositive)
    for (const { why } of alerts) expect(why?.length).toBe(3)
  })
})

const python = process.env.MILLWRIGHT_PYTHON ?? join(root, '.venv', 'bin', 'python')
const missing = whyMissing()
if (missing !== null) process.stderr.write(`predictive-maintenance.test.ts is skipped in part: ${missing}\n`)

function whyMissing(): string | null {
  if (!existsSync(python)) return `no Python at ${python} (set MILLWRIGHT_PYTHON)`
  const { status } = spawnSync(python, ['-c', 'import numpy, xgboost'])
  return status === 0 ? null : 'that Python has no xgboost'
}

const run = (script: string, ...args: string[]): string =>
  execFileSync(python, ['-B', join(example, 'training', script), ...args], { encoding: 'utf8' })

describe.skipIf(missing !== null)('training', () => {
  test('MODEL-CARD.md says what model/metrics.json says', () => {
    run('model_card.py', '--check')
  })

  test('train.py gives the committed model and its result again, from features calculated anew', () => {
    const path = join(scratch, 'device-features.ndjson')
    writeFileSync(path, plainFeatures())
    run('train.py', '--check', '--features', path)
  })

  const source = join(root, '..', 'shared', 'data', 'hydraulic')
  const why = existsSync(source) ? null : 'the full recording is not here'
  if (why !== null) process.stderr.write(`predictive-maintenance.test.ts: prepare-data.py is not run: ${why}\n`)
  test.skipIf(why !== null)('prepare-data.py gives the committed input again', () => {
    const out = join(scratch, 'input')
    run('prepare-data.py', source, out)
    const made = readdirSync(out)
    expect(made.length).toBe(5)
    // What is in a gzip file, since another zlib packs the same bytes in other ways.
    const content = (path: string): Buffer =>
      path.endsWith('.gz') ? gunzipSync(readFileSync(path)) : readFileSync(path)
    for (const name of made)
      expect(content(join(out, name)).equals(content(join(example, 'input', name))), name).toBe(true)
  })
})

/** The three features by the textbook, in two passes: a second opinion on what the operators calculate in one. */
function plainFeatures(): string {
  const windows = Map.groupBy(
    [...readings.training, ...readings.test],
    ({ timestampMs }) => timestampMs - (timestampMs % windowMs),
  )
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length
  return [...windows]
    .map(([windowStart, rows]) => {
      const level = mean(rows.map((row) => row.temperature))
      const squares = rows.map((row) => (row.temperature - level) ** 2)
      const features = {
        tempStd: Math.sqrt(squares.reduce((a, b) => a + b, 0) / (rows.length - 1)),
        vibration: mean(rows.map((row) => row.vibration)),
        pressure: mean(rows.map((row) => row.pressure)),
      }
      return `${JSON.stringify({ windowStart, revision: 0, features })}\n`
    })
    .join('')
}
