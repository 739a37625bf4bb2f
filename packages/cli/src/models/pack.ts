import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { ConfigurationError, type DeviceFeatures, type Plan } from '@millwright/core'
import {
  compileScorer,
  makeBaseline,
  makeGoldenRows,
  type PackageSigner,
  packModel,
  readXgboostModel,
} from '@millwright/scoring'
import { nodeCrypto } from './node-crypto.ts'

/** Bins of the baseline histograms: enough for drift, few enough for small samples. */
const baselineBins = 20

export interface PackRequest {
  readonly plan: Plan
  readonly model: Uint8Array
  /** `device-features` of the training period: the baseline and the golden rows come from it. */
  readonly featuresPath: string
  readonly version: string
  readonly threshold: number
  readonly metrics: Readonly<Record<string, number | null>>
  readonly createdBy: string
  readonly signer: PackageSigner | null
}

/**
 * Makes a package of an XGBoost file for a plan.
 *
 * @throws {ConfigurationError} When the training features do not fit the plan.
 * @throws {ModelFileError | ModelPackageError} When the model does not.
 */
export async function packForPlan(request: PackRequest): Promise<Uint8Array> {
  const { plan, model, featuresPath, version, threshold, metrics, createdBy, signer } = request
  if (plan.model === null)
    throw new ConfigurationError('The plant has no model to pack for.', [
      { field: 'model', found: 'null', wanted: "the model's name, for example model: 'pump-failure'" },
    ])
  const featureNames = plan.features.map(({ name }) => name)
  const { rows, sha256 } = await readFeatureRows(featuresPath, featureNames)
  const scorer = compileScorer(readXgboostModel(model))
  if (scorer.featureCount !== featureNames.length || !scorer.givesProbability)
    throw new ConfigurationError('The model does not fit the plant.', [
      {
        field: '--model',
        found: `${scorer.featureCount} features, ${scorer.givesProbability ? 'a' : 'no single'} probability`,
        wanted: `${featureNames.length} features (${featureNames.join(', ')}) and one probability (binary:logistic)`,
      },
    ])
  const probabilities = new Float32Array(rows.length / featureNames.length)
  scorer.score(rows, probabilities.length, probabilities)
  const content = {
    name: plan.model.name,
    version,
    createdBy,
    objective: readXgboostModel(model).objective.name,
    features: plan.features.map(({ name, unit }) => ({ name, unit })),
    threshold,
    baseline: makeBaseline(rows, featureNames, baselineBins, probabilities),
    goldenRows: makeGoldenRows(scorer, rows),
    metrics,
    sourceDataSha256: sha256,
    model,
  }
  return packModel(content, nodeCrypto, signer)
}

/** Reads an Ed25519 private key in PEM. @throws {ConfigurationError} When it is none. */
export function signerOf(keyPath: string): PackageSigner {
  try {
    const privateKey = createPrivateKey(readFileSync(keyPath))
    const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
    if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error(`a key of type ${privateKey.asymmetricKeyType}`)
    return { publicKey: der.subarray(-32), sign: (message) => sign(null, message, privateKey) }
  } catch (error) {
    throw new ConfigurationError(
      'The package cannot be signed.',
      [
        {
          field: '--key',
          found: error instanceof Error ? error.message : String(error),
          wanted: 'an Ed25519 private key: openssl genpkey -algorithm ed25519 -out key.pem',
        },
      ],
      error,
    )
  }
}

async function readFeatureRows(
  path: string,
  featureNames: readonly string[],
): Promise<{ rows: Float32Array; sha256: string }> {
  const hash = createHash('sha256')
  const raw = createReadStream(path)
  const stream = path.endsWith('.gz') ? raw.pipe(createGunzip()) : raw
  raw.once('error', (error) => stream.destroy(error))
  stream.on('data', (part: Buffer | string) => hash.update(part))
  const values: number[] = []
  let lineNumber = 0
  try {
    for await (const line of createInterface({ input: stream })) {
      lineNumber += 1
      if (line.trim() === '') continue
      const { features } = JSON.parse(line) as DeviceFeatures
      for (const name of featureNames) {
        const value = features[name]
        if (value === undefined) throw new Error(`no feature "${name}"`)
        values.push(value ?? Number.NaN)
      }
    }
  } catch (error) {
    throw new ConfigurationError(
      'The training features cannot be read.',
      [
        {
          field: '--features',
          found: `${path}${lineNumber > 0 ? `, line ${lineNumber}` : ''}: ${error instanceof Error ? error.message : String(error)}`,
          wanted: 'device-features of this plant, as `millwright replay` writes them',
        },
      ],
      error,
    )
  }
  if (values.length === 0)
    throw new ConfigurationError('The training features are empty.', [
      { field: '--features', found: path, wanted: 'at least one window' },
    ])
  return { rows: Float32Array.from(values), sha256: hash.digest('hex') }
}
