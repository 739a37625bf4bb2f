import { decodeUtf8, limits } from '@millwright/core'
import { JsonReader } from './json-reader.ts'
import { ModelFileError, type ModelFileReason } from './model-file-error.ts'
import { UbjsonReader } from './ubjson-reader.ts'
import type { ValueReader } from './value-reader.ts'

/** Files that people take for an XGBoost model, by how they begin. */
const foreign: readonly (readonly [signature: readonly number[] | string, reason: ModelFileReason, what: string])[] = [
  [[0x1f, 0x8b], 'gzip', 'a gzip file: unpack it first (an .rds of R: save it with xgb.save)'],
  ['PK\u0003\u0004', 'zip', 'a zip file: unpack it first'],
  [[0x80, 0x02], 'pickle', 'a Python pickle: load it there and save it with Booster.save_model("model.ubj")'],
  [[0x80, 0x03], 'pickle', 'a Python pickle: load it there and save it with Booster.save_model("model.ubj")'],
  [[0x80, 0x04], 'pickle', 'a Python pickle: load it there and save it with Booster.save_model("model.ubj")'],
  [[0x80, 0x05], 'pickle', 'a Python pickle: load it there and save it with Booster.save_model("model.ubj")'],
  ['<', 'markup', 'HTML, XML or PMML: perhaps the page that a download ended on'],
  ['tree\n', 'lightgbm', 'a LightGBM model'],
  ['CBM1', 'catboost', 'a CatBoost model'],
  [
    'booster[',
    'xgboost-text-dump',
    'a text dump of XGBoost, which leaves out what scoring needs: use Booster.save_model',
  ],
  [
    '[',
    'xgboost-text-dump',
    'a JSON array, perhaps a dump of XGBoost, which leaves out what scoring needs: use save_model',
  ],
  ['MWMODEL', 'model-package', 'a model package, not a bare model'],
  ['binf', 'xgboost-old-binary', 'the binary format that XGBoost gave up in 3.1: save it again as .ubj or .json'],
]

/**
 * Tells JSON from UBJSON by its first bytes and returns the reader for it.
 *
 * @throws {ModelFileError} Saying what the file is, where it is known to be something else.
 */
export function openModelFile(bytes: Uint8Array): ValueReader {
  if (bytes.length === 0) throw new ModelFileError('empty', 'the file is empty')
  if (bytes.length > limits.modelPackageBytesMax)
    throw new ModelFileError('too-large', `${bytes.length} bytes; at most ${limits.modelPackageBytesMax}`)
  for (const [signature, reason, what] of foreign)
    if (beginsWith(bytes, signature)) throw new ModelFileError(reason, `it is ${what}`)
  const first = firstByteOfText(bytes)
  if (bytes[first] === 0x7b) {
    const after = bytes[first + 1]
    // Behind the brace JSON has a quote, white space or the end; UBJSON has the marker of a name's length.
    const integerMarkers = [0x4c, 0x6c, 0x49, 0x69, 0x55]
    if (first === 0 && after !== undefined && integerMarkers.includes(after)) return new UbjsonReader(bytes)
    return new JsonReader(bytes)
  }
  // A protobuf message whose first field, a small number, is the version of ONNX's own format.
  if (bytes[0] === 0x08 && (bytes[1] ?? 0) < 32 && hasText(bytes, 'onnx'))
    throw new ModelFileError('onnx', 'it is an ONNX model')
  if (hasText(bytes, 'gbtree') || hasText(bytes, 'gblinear'))
    throw new ModelFileError(
      'xgboost-old-binary',
      "it may be XGBoost's old binary format: save it again as .ubj or .json",
    )
  throw new ModelFileError('not-a-model-file', 'it is neither JSON nor UBJSON')
}

function beginsWith(bytes: Uint8Array, signature: readonly number[] | string): boolean {
  for (let i = 0; i < signature.length; i++) {
    const wanted = typeof signature === 'string' ? signature.charCodeAt(i) : signature[i]
    if (bytes[i] !== wanted) return false
  }
  return true
}

function firstByteOfText(bytes: Uint8Array): number {
  let i = 0
  while (bytes[i] === 0x20 || bytes[i] === 0x0a || bytes[i] === 0x0d || bytes[i] === 0x09) i += 1
  return i
}

/** Whether ASCII `text` stands near the beginning. */
function hasText(bytes: Uint8Array, text: string): boolean {
  const head = Array.from(bytes.subarray(0, 4096), (byte) => (byte < 0x80 ? byte : 0x3f))
  return (decodeUtf8(Uint8Array.from(head)) ?? '').includes(text)
}
