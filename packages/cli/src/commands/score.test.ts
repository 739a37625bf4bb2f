/** Method: the command as a user runs it, in a process of its own, on the models and rows that XGBoost itself left behind. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { float32ToJson, limits } from '@millwright/core'
import { afterAll, describe, expect, test } from 'vitest'

const main = join(import.meta.dirname, '../../bin/millwright.js')
const fixtures = join(import.meta.dirname, '../../../../fixtures/scoring')
const models = join(fixtures, 'xgboost-3.2.0')
const folder = mkdtempSync(join(tmpdir(), 'millwright-score-'))
afterAll(() => rmSync(folder, { recursive: true }))

function score(...flags: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [main, 'score', ...flags], { encoding: 'utf8', maxBuffer: 1 << 28 })
}

function inputFile(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

interface Golden {
  readonly rowCount: number
  readonly featureCount: number
  readonly rows: Float32Array
  readonly margins: Float32Array
  readonly predictions: Float32Array
}

function goldenOf(name: string): Golden {
  const file = JSON.parse(readFileSync(join(models, 'cases.json'), 'utf8'))
  // biome-ignore lint/suspicious/noExplicitAny: a file of the tests.
  const found = file.cases.find((one: any) => one.name === name)
  const bytes = readFileSync(join(models, `${name}.f32`))
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
  const { rows, margins, predictions } = found.lengths
  return {
    ...found,
    rows: values.slice(0, rows),
    margins: values.slice(rows, rows + margins),
    predictions: values.slice(rows + margins, rows + margins + predictions),
  }
}

function rowsOf(golden: Golden): (number | null)[][] {
  return Array.from({ length: golden.rowCount }, (_, row) =>
    Array.from(golden.rows.slice(row * golden.featureCount, (row + 1) * golden.featureCount), (value) =>
      Number.isNaN(value) ? null : value,
    ),
  )
}

const ndjson = (rows: readonly unknown[]): string => rows.map((row) => JSON.stringify(row)).join('\n')
const lines = (values: Float32Array): string => Array.from(values, (value) => `${float32ToJson(value)}\n`).join('')

const binary = goldenOf('binary')
const named = goldenOf('binary-named')
const names: readonly string[] = ['temp "in"', 'Vibration mm/s', 'Druck ä']
const binaryInput = inputFile('binary.ndjson', ndjson(rowsOf(binary)))
const namedRows = rowsOf(named)

describe('millwright score', () => {
  test('prints the bits of XGBoost, from .ubj and .json, predictions and margins', () => {
    const predictions = score('--model', join(models, 'binary.ubj'), '--input', binaryInput)
    expect(predictions).toMatchObject({ ...quietly, stdout: lines(binary.predictions) })
    const margins = score('--model', join(models, 'binary.json'), '--input', binaryInput, '--margin')
    expect(margins.stdout).toBe(lines(binary.margins))
  })

  test('prints an array a row where there are several outputs', () => {
    const golden = goldenOf('softprob')
    const input = inputFile('softprob.ndjson', ndjson(rowsOf(golden)))
    const { stdout } = score('--model', join(models, 'softprob.ubj'), '--input', input)
    const printed = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as number[])
    expect(printed.map((row) => row.length)).toEqual(new Array(golden.rowCount).fill(3))
    expect(printed.flat().map(Math.fround)).toEqual([...golden.predictions])
  })

  test.each([
    [
      'objects by name, others passed over',
      'named.ndjson',
      () =>
        ndjson(
          namedRows.map((row) =>
            Object.fromEntries(
              [...row.entries()]
                .reverse()
                .map(([i, value]) => [names[i], value])
                .concat([['other', 'x']]),
            ),
          ),
        ),
    ],
    [
      'arrays, blank lines and CR LF',
      'arrays.ndjson',
      () => `\r\n${namedRows.map((row) => `${JSON.stringify(row)}\r\n`).join('\n')}`,
    ],
    ['arrays as .gz', 'arrays.ndjson.gz', () => gzipSync(ndjson(namedRows))],
    ['CSV by header, in another order, with quotes', 'named.csv', () => table(',')],
    ['CSV with semicolons as .gz', 'named.csv.gz', () => gzipSync(table(';'))],
    ['TSV', 'named.tsv', () => table('\t')],
  ])('reads %s', (_, name, content) => {
    const input = inputFile(name, content())
    const { stdout, stderr, status } = score('--model', join(models, 'binary-named.ubj'), '--input', input)
    expect({ stdout, stderr, status }).toEqual({ ...quietly, stdout: lines(named.predictions) })
  })

  test('explains each row, and what is explained sums to the margin', () => {
    const { stdout } = score('--model', join(models, 'binary.ubj'), '--input', binaryInput, '--contributions')
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as number[])
    expect(rows.length).toBe(binary.rowCount)
    rows.forEach((row, i) => {
      expect(row.length).toBe(binary.featureCount + 1)
      expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(binary.margins[i] as number, 4)
    })
  })

  test('scores with a package, and says so in one line of JSON', () => {
    const out = join(folder, 'out.ndjson')
    const model = join(fixtures, 'packages/release-0.1.0-signed.mwmodel')
    const { stdout, stderr, status } = score('--model', model, '--input', binaryInput, '--out', out, '--json')
    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      rows: binary.rowCount,
      output: 'prediction',
      model: { kind: 'package', name: 'fixture', version: '1', featureCount: 5 },
    })
    expect(readFileSync(out, 'utf8')).toBe(lines(binary.predictions))
  })

  test('scores many rows the same as few, whatever the batches', () => {
    const copies = 230
    const input = inputFile('many.ndjson', `${ndjson(rowsOf(binary))}\n`.repeat(copies))
    const { stdout } = score('--model', join(models, 'binary.ubj'), '--input', input)
    expect(stdout).toBe(lines(binary.predictions).repeat(copies))
  })

  test('stops behind --iterations', () => {
    const golden = goldenOf('binary-forest')
    const input = inputFile('forest.ndjson', ndjson(rowsOf(golden)))
    const { stdout } = score('--model', join(models, 'binary-forest.ubj'), '--input', input, '--iterations', '2')
    expect(stdout).toBe(lines(golden.predictions))
  })
})

describe('millwright score refuses', () => {
  test('a bad row, naming line and field; the rows before it are printed, no file is left', () => {
    const rows: unknown[] = namedRows.slice(0, 7)
    rows[5] = [1, 'high', 3]
    const input = inputFile('bad.ndjson', ndjson(rows))
    const printed = score('--model', join(models, 'binary-named.ubj'), '--input', input)
    expect(printed.status).toBe(1)
    expect(printed.stderr).toBe(
      'Cannot score line 6, "Vibration mm/s": found "high", wanted a finite float32, or null for missing\n',
    )
    expect(printed.stdout).toBe(lines(named.predictions.subarray(0, 5)))
    const out = join(folder, 'none.ndjson')
    expect(score('--model', join(models, 'binary-named.ubj'), '--input', input, '--out', out).status).toBe(1)
    expect(existsSync(out)).toBe(false)
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([])
  })

  const cell = ['temp "in"', 'Vibration mm/s', 'Druck ä'].map((name) => `"${name.replaceAll('"', '""')}"`).join()
  test.each([
    [
      'a line that is not UTF-8',
      'latin1.ndjson',
      Buffer.from('[1,2,3]\n["\xe4",2,3]\n', 'latin1'),
      /line 2: found bytes that are not UTF-8/,
    ],
    [
      'a line beyond the limit',
      'long.ndjson',
      Buffer.concat([Buffer.from('[1,2,3]\n['), Buffer.alloc(limits.lineBytesMax, 32), Buffer.from(']\n')]),
      /line 2: found more than 1048576 bytes/,
    ],
    ['a number beyond float32', 'large.ndjson', Buffer.from('[1,2,1e39]\n'), /line 1, "Druck ä": found 1e\+39/],
    [
      'a CSV file without a feature',
      'short.csv',
      Buffer.from('a,b\n1,2\n'),
      /line 1: found no column temp "in", Vibration mm\/s, Druck ä/,
    ],
    [
      'a CSV cell that is text',
      'text.csv',
      Buffer.from(`${cell}\n1,2,3\n\n1,x,3\n`),
      /line 4, "Vibration mm\/s": found "x", wanted a number/,
    ],
    [
      'a CSV row with a stray quote',
      'quote.csv',
      Buffer.from(`${cell}\n1,2"2,3\n`),
      /line 2: found .* wanted a row that can be read/,
    ],
  ])('%s', (_, name, content, message) => {
    const { status, stderr } = score('--model', join(models, 'binary-named.ubj'), '--input', inputFile(name, content))
    expect(stderr).toMatch(message)
    expect(status).toBe(1)
  })

  test.each([
    ['a model that is none', ['--model', main, '--input', binaryInput], 1, /it is neither JSON nor UBJSON/],
    [
      'a model that is not there',
      ['--model', 'none.ubj', '--input', binaryInput],
      2,
      /--model: found none\.ubj \(ENOENT\)/,
    ],
    [
      'an input that is not there',
      ['--model', join(models, 'binary.ubj'), '--input', 'none.ndjson'],
      2,
      /none\.ndjson/,
    ],
    ['no input', ['--model', join(models, 'binary.ubj')], 2, /--input/],
    ['two outputs at once', ['--model', 'm', '--input', 'i', '--margin', '--contributions'], 2, /one of the two/],
    [
      'a result on stdout beside the rows',
      ['--model', 'm', '--input', 'i', '--json'],
      2,
      /--json: found without --out/,
    ],
    ['a part of an iteration', ['--model', 'm', '--input', 'i', '--iterations', '1.5'], 2, /a whole number from 1/],
    [
      'iterations of a linear model',
      ['--model', join(models, 'linear.ubj'), '--input', binaryInput, '--iterations', '1'],
      2,
      /has no iterations/,
    ],
  ])('%s', (_, flags, wanted, message) => {
    const { status, stderr } = score(...flags)
    expect(stderr).toMatch(message)
    expect(status).toBe(wanted)
  })
})

/** What a run without a message looks like. */
const quietly = { status: 0, stderr: '' }

function table(delimiter: string): string {
  const order = [2, 0, 1]
  const header = ['id', ...order.map((i) => `"${(names[i] as string).replaceAll('"', '""')}"`)]
  const rows = namedRows.map((row, number) => [number, ...order.map((i) => row[i] ?? (number % 2 === 0 ? '' : 'NaN'))])
  return [header, ...rows].map((cells) => cells.join(delimiter)).join('\r\n')
}
