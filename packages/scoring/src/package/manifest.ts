import { decodeUtf8, encodeUtf8, float32ToJson, float64ToJson, limits, utf8ByteLength } from '@millwright/core'
import type { Baseline } from './baseline.ts'
import type { GoldenRow } from './golden-rows.ts'
import type { Histogram } from './histogram.ts'
import { type Fields, fieldReader } from './manifest-fields.ts'
import { ModelPackageError } from './package-error.ts'

/** One input of the model. */
export interface PackagedFeature {
  readonly name: string
  /** As the plan writes it, for example `°C`. */
  readonly unit: string
}

/** What a package says about its model. */
export interface Manifest {
  readonly name: string
  readonly version: string
  /** Who or what made it, for people. */
  readonly createdBy: string
  /** Format of the model's bytes; so far one. */
  readonly modelFormat: 'xgboost'
  /** SHA-256 of the model's bytes, lower-case hexadecimal. */
  readonly modelSha256: string
  /** As XGBoost names it, for example `binary:logistic`. */
  readonly objective: string
  /** In the model's order. */
  readonly features: readonly PackagedFeature[]
  /** Alert when the probability is greater, 0 to 1. A plan may name its own. */
  readonly threshold: number
  readonly baseline: Baseline
  /** 1 to `goldenRowsMax`. */
  readonly goldenRows: readonly GoldenRow[]
  /** Results of the evaluation by name, for people; `null` where one could not be computed. */
  readonly metrics: Readonly<Record<string, number | null>>
  /** SHA-256 of the data it was trained on, as its maker took it; `null` where unknown. */
  readonly sourceDataSha256: string | null
}

/** Prints a manifest as UTF-8 JSON; float32 values as the shortest decimal that reads back the same. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const { baseline, goldenRows, threshold, metrics, ...plain } = manifest
  const fields = Object.entries(plain).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
  const metricFields = Object.entries(metrics).map(
    ([name, value]) => `${JSON.stringify(name)}:${value === null ? 'null' : float64ToJson(value)}`,
  )
  const rows = goldenRows.map(
    ({ features, probability }) =>
      `{"features":[${Array.from(features, (value) => float32ToJson(value)).join()}],"probability":${float32ToJson(probability)}}`,
  )
  fields.push(
    `"threshold":${float64ToJson(threshold)}`,
    `"metrics":{${metricFields.join()}}`,
    `"baseline":{"features":[${baseline.features.map(histogramJson).join()}],"probability":${histogramJson(baseline.probability)}}`,
    `"goldenRows":[${rows.join()}]`,
  )
  return encodeUtf8(`{${fields.join()}}`)
}

function histogramJson(histogram: Histogram): string {
  const { edges, counts, missing, min, max } = histogram
  const ends = [min, max].map((end) => (end === null ? 'null' : float32ToJson(end)))
  return `{"edges":[${edges.map(float32ToJson).join()}],"counts":[${counts.join()}],"missing":${missing},"min":${ends[0]},"max":${ends[1]}}`
}

/**
 * Reads a manifest and checks all that can be checked in itself. Fields that it does not know are passed over: a later
 * release may add some within the same format version.
 *
 * @throws {ModelPackageError} Naming the field.
 */
export function decodeManifest(bytes: Uint8Array): Manifest {
  const text = decodeUtf8(bytes)
  if (text === null) throw new ModelPackageError('manifest-not-utf8', 'the manifest is not well-formed UTF-8')
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new ModelPackageError('manifest-not-json', 'the manifest is not JSON', {}, error)
  }
  const root = fieldReader(parsed, '')
  const features = root.objects('features', 1, limits.modelFeaturesMax).map((feature) => ({
    name: name(feature, 'name'),
    unit: feature.string('unit'),
  }))
  demandDistinct(features)
  const threshold = root.number('threshold')
  if (!(threshold >= 0 && threshold <= 1))
    throw new ModelPackageError('threshold-out-of-range', `found ${threshold}, wanted 0 to 1`)
  const baseline = root.object('baseline')
  const histograms = baseline.objects('features', 0, limits.modelFeaturesMax).map(histogram)
  if (histograms.length !== features.length)
    throw new ModelPackageError('baseline-differs', `${histograms.length} histograms for ${features.length} features`)
  return {
    name: name(root, 'name'),
    version: name(root, 'version'),
    createdBy: root.string('createdBy'),
    modelFormat: root.oneOf('modelFormat', ['xgboost']),
    modelSha256: root.sha256('modelSha256'),
    objective: root.string('objective'),
    features,
    threshold,
    baseline: { features: histograms, probability: histogram(baseline.object('probability')) },
    goldenRows: goldenRows(root, features.length),
    metrics: root.numbersByName('metrics'),
    sourceDataSha256: root.isNull('sourceDataSha256') ? null : root.sha256('sourceDataSha256'),
  }
}

/** A name that will stand in each alert: short, and nothing that a terminal or a log would act on. */
function name(fields: Fields, field: string): string {
  const value = fields.string(field)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (value === '' || utf8ByteLength(value) > limits.modelNameBytesMax || /[\u0000-\u001f\u007f-\u009f]/.test(value))
    throw fields.wrong(field, `1 to ${limits.modelNameBytesMax} bytes without control characters`)
  return value
}

function demandDistinct(features: readonly PackagedFeature[]): void {
  const seen = new Set<string>()
  for (const feature of features) {
    if (seen.has(feature.name)) throw new ModelPackageError('feature-twice', `"${feature.name}" is there twice`)
    seen.add(feature.name)
  }
}

function histogram(fields: Fields): Histogram {
  const edges = fields.float32s('edges', limits.histogramBinsMax - 1)
  const counts = fields.counts('counts', limits.histogramBinsMax)
  const ascending = edges.every((edge, i) => i === 0 || edge > (edges[i - 1] as number))
  if (!ascending) throw fields.wrong('edges', 'ascending numbers')
  if (counts.length !== edges.length + 1) throw fields.wrong('counts', `${edges.length + 1} counts`)
  return {
    edges,
    counts,
    missing: fields.count('missing'),
    min: fields.isNull('min') ? null : fields.float32('min'),
    max: fields.isNull('max') ? null : fields.float32('max'),
  }
}

function goldenRows(root: Fields, featureCount: number): GoldenRow[] {
  const rows = root.objects('goldenRows', 0, limits.goldenRowsMax + 1)
  if (rows.length < 1 || rows.length > limits.goldenRowsMax)
    throw new ModelPackageError('golden-rows-count', `found ${rows.length}, wanted 1 to ${limits.goldenRowsMax}`)
  return rows.map((row) => {
    const features = row.float32sOrMissing('features', featureCount)
    if (features.length !== featureCount) throw row.wrong('features', `${featureCount} values`)
    return { features, probability: row.float32('probability') }
  })
}
