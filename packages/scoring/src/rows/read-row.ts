import { RowError } from './row-error.ts'

/** What a model's rows look like. */
export interface RowShape {
  readonly featureCount: number
  /** In the model's order; `null` where the model has no names: then values go by their place. */
  readonly featureNames: readonly string[] | null
}

/**
 * Reads a row of JSON into float32 values: an array in the model's order, or an object by feature name. `null`, and in an
 * object an absent name, is missing (NaN); other names of an object are passed over, but one must be a feature's.
 *
 * @param line Of the file, from 1, for the message.
 * @param into Receives `featureCount` values from `start` on.
 * @throws {RowError} When it is not JSON, of another length, or has a value that is no number or no finite float32, as which
 * XGBoost's own DMatrix would refuse it too.
 */
export function readJsonRow(text: string, line: number, shape: RowShape, into: Float32Array, start: number): void {
  const row = parse(text, line)
  if (Array.isArray(row)) {
    if (row.length !== shape.featureCount)
      throw new RowError(line, null, `${row.length} values`, `${shape.featureCount}, one of each feature`)
    for (let i = 0; i < row.length; i++) into[start + i] = toFloat32(row[i], line, shape, i)
    return
  }
  if (typeof row !== 'object' || row === null) throw new RowError(line, null, text, 'an array or an object')
  const names = shape.featureNames
  if (names === null)
    throw new RowError(line, null, 'an object', 'an array, since the model has no feature names to go by')
  let known = 0
  for (const [i, name] of names.entries()) {
    const has = Object.hasOwn(row, name)
    if (has) known += 1
    into[start + i] = has ? toFloat32((row as Record<string, unknown>)[name], line, shape, i) : Number.NaN
  }
  if (known === 0)
    throw new RowError(line, null, `the fields ${Object.keys(row).join(', ')}`, `some of ${names.join(', ')}`)
}

function parse(text: string, line: number): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Where in the line the parser gave up differs between engines; the line itself says more.
    throw new RowError(line, null, JSON.stringify(text), 'JSON: an array of numbers, or an object by feature name')
  }
}

function toFloat32(value: unknown, line: number, shape: RowShape, feature: number): number {
  if (value === null) return Number.NaN
  const single = typeof value === 'number' ? Math.fround(value) : Number.NaN
  if (!Number.isFinite(single))
    throw new RowError(line, fieldName(shape, feature), JSON.stringify(value), 'a finite float32, or null for missing')
  return single
}

function fieldName(shape: RowShape, feature: number): string {
  const name = shape.featureNames?.[feature]
  return name === undefined ? `value ${feature + 1}` : `"${name}"`
}

/** Reads the rows of one table with a header. */
export interface TableReader {
  /** @param line As in {@link readJsonRow}. @throws {RowError} */
  read(cells: readonly string[], line: number, into: Float32Array, start: number): void
}

/**
 * Finds the columns of the features in a header: by name, in any order and among others; where the model has no names, by
 * place, and then there must be as many columns as features.
 *
 * @param headerLine Line of the header, from 1.
 * @param numberOf Returns what a cell says as JSON's number, or `null` when it is none.
 * @param missing How cells say that there is no value.
 * @throws {RowError} Naming all features without a column, and a column that is there twice.
 */
export function createTableReader(
  header: readonly string[],
  headerLine: number,
  shape: RowShape,
  numberOf: (cell: string) => string | null,
  missing: ReadonlySet<string>,
): TableReader {
  const titles = header.map((title) => title.trim())
  const columns =
    shape.featureNames === null
      ? columnsByPlace(titles, headerLine, shape)
      : columnsByName(titles, headerLine, shape.featureNames)
  return {
    read(cells, line, into, start) {
      if (cells.length !== titles.length)
        throw new RowError(line, null, `${cells.length} cells`, `${titles.length}, as in the header`)
      for (const [feature, column] of columns.entries()) {
        const cell = (cells[column] as string).trim()
        const number = missing.has(cell) ? null : numberOf(cell)
        if (number === null && !missing.has(cell))
          throw new RowError(
            line,
            fieldName(shape, feature),
            JSON.stringify(cell),
            'a number, or an empty cell for missing',
          )
        into[start + feature] = toFloat32(number === null ? null : Number(number), line, shape, feature)
      }
    },
  }
}

function columnsByPlace(titles: readonly string[], line: number, shape: RowShape): number[] {
  if (titles.length !== shape.featureCount)
    throw new RowError(
      line,
      null,
      `${titles.length} columns`,
      `${shape.featureCount}, one of each feature, as the model has no names`,
    )
  return titles.map((_, i) => i)
}

function columnsByName(titles: readonly string[], line: number, names: readonly string[]): number[] {
  const absent = names.filter((name) => !titles.includes(name))
  if (absent.length > 0)
    throw new RowError(line, null, `no column ${absent.join(', ')}`, 'a header with the name of each feature')
  const twice = names.find((name) => titles.indexOf(name) !== titles.lastIndexOf(name))
  if (twice !== undefined) throw new RowError(line, `"${twice}"`, 'two columns', 'one')
  return names.map((name) => titles.indexOf(name))
}
