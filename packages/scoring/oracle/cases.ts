import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One model and what XGBoost itself gave for some rows; made by `make_cases.py`. */
export interface OracleCase {
  readonly name: string
  /** The same model in one or two formats. */
  readonly files: readonly string[]
  readonly rowCount: number
  readonly featureCount: number
  readonly iterationEnd: number | null
  readonly bestIteration: number | null
  readonly featureNames: readonly string[] | null
  readonly rows: Float32Array
  readonly margins: Float32Array
  readonly predictions: Float32Array
  readonly contributions: Float32Array | null
}

interface CasesFile {
  readonly xgboost: string
  readonly cases: readonly (Omit<OracleCase, 'rows' | 'margins' | 'predictions' | 'contributions'> & {
    readonly lengths: {
      readonly rows: number
      readonly margins: number
      readonly predictions: number
      readonly contributions?: number
    }
  })[]
}

/** Loads all cases of a folder that `make_cases.py` filled. */
export function loadCases(folder: string): { readonly xgboost: string; readonly cases: readonly OracleCase[] } {
  const file = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as CasesFile
  const cases = file.cases.map(({ lengths, ...rest }) => {
    const values = readFloat32s(join(folder, `${rest.name}.f32`))
    let at = 0
    const take = (length: number): Float32Array => {
      at += length
      return values.slice(at - length, at)
    }
    return {
      ...rest,
      rows: take(lengths.rows),
      margins: take(lengths.margins),
      predictions: take(lengths.predictions),
      contributions: lengths.contributions === undefined ? null : take(lengths.contributions),
    }
  })
  return { xgboost: file.xgboost, cases }
}

/** Reads a file of little-endian float32 values. */
export function readFloat32s(path: string): Float32Array {
  const bytes = readFileSync(path)
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}

/** The bits of float32 values, so that -0 differs from 0 and a failed comparison prints where. */
export function bitsOf(values: Float32Array): number[] {
  return [...new Int32Array(values.slice().buffer)]
}
