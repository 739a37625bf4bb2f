import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { limits, type Plan } from '@millwright/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bitsOf, loadCases, type OracleCase } from '../../oracle/cases.ts'
import { testCrypto, testSigner } from '../../oracle/node-crypto.ts'
import { compileScorer } from '../evaluate/compile.ts'
import { readXgboostModel } from '../xgboost/read-model.ts'
import { modelOfBareFile } from './bare-file.ts'
import { makeBaseline } from './baseline.ts'
import { checkModelPackage } from './check-package.ts'
import { encodeContainer, isModelPackage, packageHeadBytes } from './container.ts'
import { makeGoldenRows } from './golden-rows.ts'
import { hexOfBytes } from './hex.ts'
import { openModelPackage } from './open-package.ts'
import { type PackageContent, packModel } from './pack-model.ts'
import { ModelPackageError, type ModelPackageReason, modelPackageReasons } from './package-error.ts'

const folder = join(import.meta.dirname, '../../../../fixtures/scoring/xgboost-3.2.0')
const { cases } = loadCases(folder)
const features = ['a', 'b', 'c', 'd', 'e'].map((name, i) => ({ name, unit: i === 0 ? '°C' : '1' }))
const signer = testSigner(1)
const key = Buffer.from(signer.publicKey).toString('base64')

const fixture = (name: string): Uint8Array => readFileSync(join(folder, name))
const caseOf = (name: string): OracleCase => cases.find((one) => one.name === name) as OracleCase

/** The part of a plan that a package is held to. */
function planOf(change: { model?: Plan['model']; features?: readonly { name: string; unit: string }[] } = {}): Plan {
  return {
    kind: 'plan',
    name: 'plant',
    model: { name: 'bearing', trustedKeys: [] },
    features,
    alert: { threshold: null, whyMax: 3 },
    ...change,
  } as unknown as Plan
}

function contentOf(name = 'binary', change: Partial<PackageContent> = {}): PackageContent {
  const model = fixture(`${name}.ubj`)
  const scorer = compileScorer(readXgboostModel(model))
  const { rows, rowCount } = caseOf(name)
  const probabilities = new Float32Array(rowCount)
  scorer.score(rows, rowCount, probabilities)
  return {
    name: 'bearing',
    version: '2026-01-31',
    createdBy: 'a test',
    objective: 'binary:logistic',
    model,
    features,
    threshold: 0.8,
    baseline: makeBaseline(
      rows,
      features.map((feature) => feature.name),
      10,
      probabilities,
    ),
    goldenRows: makeGoldenRows(scorer, rows, 7),
    metrics: { auc: 0.93, recall: 0.5, leadTimeHours: null },
    sourceDataSha256: null,
    ...change,
  }
}

const packed = packModel(contentOf(), testCrypto, null)
const signed = packModel(contentOf(), testCrypto, signer)

function refusalOf(bytes: Uint8Array, plan = planOf()): ModelPackageError {
  try {
    checkModelPackage(openModelPackage(bytes, testCrypto), plan, testCrypto)
  } catch (error) {
    if (error instanceof ModelPackageError) return error
    throw error
  }
  throw new Error('was not refused')
}

/** What a knowing attacker makes: parts changed, lengths and digest right again. */
function repacked(
  change: (manifest: Record<string, never>) => unknown,
  options: { model?: Uint8Array; sign?: boolean; keepHash?: boolean } = {},
): Uint8Array {
  const opened = openModelPackage(packed, testCrypto)
  const manifestEnd = packed.length - 32 - opened.modelBytes.length
  const manifest = JSON.parse(Buffer.from(packed.subarray(packageHeadBytes, manifestEnd)).toString())
  const model = options.model ?? opened.modelBytes
  if (options.keepHash !== true) manifest.modelSha256 = hexOfBytes(testCrypto.sha256(model))
  const replaced = change(manifest)
  const text = typeof replaced === 'string' ? replaced : JSON.stringify(manifest)
  return encodeContainer(Buffer.from(text), model, testCrypto, options.sign === true ? signer : null)
}

const withByte = (bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  const place = at < 0 ? copy.length + at : at
  copy[place] = change(copy[place] as number)
  return copy
}
const flipped = (bytes: Uint8Array, at: number): Uint8Array => withByte(bytes, at, (byte) => byte ^ 1)
const becomes = (bytes: Uint8Array, at: number, value: number): Uint8Array => withByte(bytes, at, () => value)

/** A manifest is changed here in every way that its type forbids. */
// biome-ignore lint/suspicious/noExplicitAny: see above.
type Any = any
const edited = (change: (manifest: Any) => unknown): Uint8Array => repacked((manifest) => void change(manifest))
/** With a field, by its path, put or (undefined) taken away. */
const put = (path: string, value: unknown): Uint8Array =>
  edited((manifest) => {
    const steps = path.split('.')
    const last = steps.pop() as string
    steps.reduce((found, step) => found[step], manifest)[last] = value
  })
const withModel = (name: string, objective = 'binary:logistic'): Uint8Array =>
  repacked((manifest: Any) => void Object.assign(manifest, { objective }), { model: fixture(name) })
const trusting = planOf({ model: { name: 'bearing', trustedKeys: [key] } })
const computing = (...names: readonly string[]): Plan =>
  planOf({ features: names.map((name) => ({ name, unit: name === 'a' ? '°C' : '1' })) })

type Hostile = readonly [ModelPackageReason, string, () => Uint8Array, Plan | null]
const files: readonly Hostile[] = [
  ['too-large', 'larger than any', () => ({ length: limits.modelPackageBytesMax + 1 }) as Uint8Array, null],
  ['not-a-package', 'a bare model', () => fixture('binary.ubj'), null],
  ['not-a-package', 'a page of HTML', () => Buffer.from('<!doctype html><title>404</title>'), null],
  ['version-unsupported', 'of a format to come', () => becomes(packed, 8, 2), null],
  ['flags-unknown', 'with a flag to come', () => becomes(packed, 12, 2), null],
  ['truncated', 'empty', () => new Uint8Array(0), null],
  ['truncated', 'cut in its head', () => packed.subarray(0, 20), null],
  ['truncated', 'cut by one byte', () => packed.subarray(0, -1), null],
  ['truncated', 'with a length of the model that lies', () => becomes(packed, 22, 0xff), null],
  ['truncated', 'said to be signed, and not', () => becomes(packed, 12, 1), null],
  ['trailing-bytes', 'with a byte too many', () => Buffer.concat([packed, Buffer.from('x')]), null],
  ['manifest-too-large', 'with a length of the manifest that lies', () => becomes(packed, 19, 0xff), null],
  ['digest-differs', 'with one bit of the manifest flipped', () => flipped(packed, 40), null],
  ['digest-differs', 'with one bit of the digest flipped', () => flipped(packed, -1), null],
  [
    'model-hash-differs',
    'with another model inside',
    () => repacked(() => 0, { model: fixture('dart.ubj'), keepHash: true }),
    null,
  ],
]
const manifests: readonly Hostile[] = [
  [
    'manifest-not-utf8',
    'that is not text',
    () => encodeContainer(Uint8Array.of(0xff), new Uint8Array(0), testCrypto, null),
    null,
  ],
  ['manifest-not-json', 'that is not JSON', () => repacked(() => '{"name":'), null],
  ['manifest-field', 'that is a list', () => repacked(() => '[]'), null],
  [
    'manifest-field',
    'nested a million deep',
    () => repacked(() => `{"name":${'['.repeat(1e6)}${']'.repeat(1e6)}}`),
    null,
  ],
  ['manifest-field', 'without a name', () => put('name', undefined), null],
  ['manifest-field', 'with a name to break a terminal', () => put('name', 'a\u001b[2J'), null],
  ['manifest-field', 'with a version of 200 bytes', () => put('version', 'x'.repeat(200)), null],
  ['manifest-field', 'of another kind of model', () => put('modelFormat', 'pickle'), null],
  ['manifest-field', 'with a hash that is none', () => put('modelSha256', 'abc'), null],
  ['manifest-field', 'with a threshold that is text', () => put('threshold', '0.8'), null],
  ['manifest-field', 'without features', () => put('features', []), null],
  [
    'manifest-field',
    'with a golden row too short',
    () => edited((manifest) => manifest.goldenRows[0].features.pop()),
    null,
  ],
  ['manifest-field', 'with a golden value beyond float32', () => put('goldenRows.0.features.0', 1e300), null],
  [
    'manifest-field',
    'with edges that descend',
    () => edited((manifest) => manifest.baseline.features[0].edges.reverse()),
    null,
  ],
  [
    'manifest-field',
    'with a bin too few',
    () => edited((manifest) => manifest.baseline.probability.counts.pop()),
    null,
  ],
  ['manifest-field', 'with a negative count', () => put('baseline.features.0.counts.0', -1), null],
  ['manifest-field', 'with a metric that is text', () => put('metrics.auc', 'good'), null],
  ['feature-twice', 'with a feature twice', () => put('features.1.name', 'a'), null],
  ['threshold-out-of-range', 'with a threshold above 1', () => put('threshold', 1.5), null],
  ['threshold-out-of-range', 'with a threshold below 0', () => put('threshold', -0.1), null],
  ['golden-rows-count', 'without golden rows', () => put('goldenRows', []), null],
  [
    'golden-rows-count',
    'with a golden row too many',
    () =>
      edited((manifest) => {
        manifest.goldenRows = Array(257).fill(manifest.goldenRows[0])
      }),
    null,
  ],
  ['baseline-differs', 'with a histogram too few', () => edited((manifest) => manifest.baseline.features.pop()), null],
]
const unfit: readonly Hostile[] = [
  ['plan-without-model', 'for a plant without a model', () => packed, planOf({ model: null })],
  ['name-differs', 'of another model', () => put('name', 'pump'), null],
  ['signature-missing', 'unsigned, where keys are trusted', () => packed, trusting],
  ['signer-unknown', 'signed by a stranger', () => packModel(contentOf(), testCrypto, testSigner(2)), trusting],
  ['signature-invalid', 'signed, then changed and digested anew', () => resealed(signed), trusting],
  ['signature-invalid', 'with a broken signature that nobody asked for', () => flipped(signed, -1), null],
  ['feature-count-differs', 'for a plant of fewer features', () => packed, computing('a', 'b')],
  ['feature-names-differ', 'for a plant of other features', () => packed, computing('a', 'b', 'c', 'd', 'x')],
  ['feature-order-differs', 'for a plant with another order', () => packed, computing('e', 'd', 'c', 'b', 'a')],
  [
    'feature-units-differ',
    'for a plant in Fahrenheit',
    () => packed,
    planOf({ features: [{ name: 'a', unit: '°F' }, ...features.slice(1)] }),
  ],
]
const models: readonly Hostile[] = [
  ['model-unreadable', 'cut off', () => repacked(() => 0, { model: fixture('binary.ubj').subarray(0, -9) }), null],
  ['model-unreadable', 'that is a pickle', () => repacked(() => 0, { model: Uint8Array.of(0x80, 4, 0x95) }), null],
  ['model-feature-count-differs', 'of three features', () => withModel('binary-named.ubj'), null],
  ['model-feature-names-differ', 'of other names', () => repackedWithNames(), null],
  ['objective-differs', 'of another objective', () => withModel('count-poisson.ubj'), null],
  ['not-a-probability', 'that gives no probability', () => withModel('count-poisson.ubj', 'count:poisson'), null],
  ['not-a-probability', 'of several outputs', () => withModel('targets-binary.ubj'), null],
  ['golden-rows-differ', 'that answers otherwise', () => withModel('dart.ubj'), null],
  [
    'golden-rows-differ',
    'with an answer one bit off',
    () =>
      edited((manifest) => {
        manifest.goldenRows[3].probability += 6e-8
      }),
    null,
  ],
]
const hostile = [...files, ...manifests, ...unfit, ...models]

/** Changes the threshold of a signed package and makes its digest right again, as whoever has no key can. */
function resealed(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes)
  const at = Buffer.from(copy).indexOf('"threshold":0.8')
  copy[at + '"threshold":0.'.length] = 0x39
  const bodyEnd = copy.length - 32 - 32 - 64
  copy.set(testCrypto.sha256(copy.subarray(0, bodyEnd)), bodyEnd)
  return copy
}

function repackedWithNames(): Uint8Array {
  const file = JSON.parse(Buffer.from(fixture('binary.json')).toString())
  file.learner.feature_names = ['a', 'b', 'c', 'd', 'f']
  return repacked(() => 0, { model: Buffer.from(JSON.stringify(file)) })
}

describe('a hostile package is refused', () => {
  test.each(hostile)('as %s: %s', (reason, _, make, plan) => {
    const error = refusalOf(make(), plan ?? planOf())
    expect(error.reason).toBe(reason)
    expect(error.message.length).toBeLessThan(600)
  })

  test('for every reason there is', () => {
    expect(new Set(hostile.map(([reason]) => reason))).toEqual(new Set(modelPackageReasons))
  })

  test('after any change of any byte: the digest, the head or the signature shows it', () => {
    fc.assert(
      fc.property(fc.nat(signed.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        refusalOf(
          withByte(signed, at, (byte) => byte ^ mask),
          trusting,
        )
      }),
      { seed: 5, numRuns: 400 },
    )
  })

  test('at any length but its own', () => {
    for (let length = 0; length < packed.length; length += 97)
      expect(refusalOf(packed.subarray(0, length)).reason).toBe('truncated')
  })
})

describe('a sound package', () => {
  test('opens to what was packed', () => {
    const content = contentOf()
    const { manifest, modelBytes, sha256, byteLength, signature } = openModelPackage(packed, testCrypto)
    const { model, ...about } = content
    expect(manifest).toEqual({
      ...about,
      modelFormat: 'xgboost',
      modelSha256: hexOfBytes(testCrypto.sha256(model)),
    })
    expect([...modelBytes]).toEqual([...model])
    expect(sha256).toBe(hexOfBytes(testCrypto.sha256(packed)))
    expect(byteLength).toBe(packed.length)
    expect(signature).toBeNull()
    expect(isModelPackage(packed)).toBe(true)
    expect(isModelPackage(model)).toBe(false)
  })

  test('is taken by the plant it is for, signed or not, and scores', () => {
    for (const [bytes, plan] of [
      [packed, planOf()],
      [signed, planOf()],
      [signed, trusting],
    ] as const) {
      const loaded = checkModelPackage(openModelPackage(bytes, testCrypto), plan, testCrypto)
      expect(loaded).toMatchObject({ name: 'bearing', version: '2026-01-31', threshold: 0.8 })
      expect(loaded.sha256).toBe(hexOfBytes(testCrypto.sha256(bytes)))
      expect(loaded.featureNames).toEqual(['a', 'b', 'c', 'd', 'e'])
      const { rows, rowCount, predictions } = caseOf('binary')
      const out = new Float32Array(rowCount)
      loaded.scorer.score(rows, rowCount, out)
      expect(bitsOf(out)).toEqual(bitsOf(predictions))
    }
  })

  test('lies in memory that is not aligned, as a part of a larger buffer', () => {
    const shifted = new Uint8Array(packed.length + 3).subarray(3)
    shifted.set(packed)
    expect(() => checkModelPackage(openModelPackage(shifted, testCrypto), planOf(), testCrypto)).not.toThrow()
  })

  test('is packed from a linear model, from dart and from JSON too', () => {
    for (const name of ['linear', 'dart', 'binary-no-missing'])
      expect(() => packModel(contentOf(name), testCrypto)).not.toThrow()
    expect(() => packModel(contentOf('binary', { model: fixture('binary.json') }), testCrypto)).not.toThrow()
  })
})

test('packModel() refuses to make what would be refused', () => {
  const reasonOf = (change: Partial<PackageContent>): string => {
    try {
      packModel(contentOf('binary', change), testCrypto)
    } catch (error) {
      return (error as ModelPackageError).reason
    }
    return 'no error'
  }
  expect(reasonOf({ threshold: Number.NaN })).toBe('manifest-field')
  expect(reasonOf({ goldenRows: [] })).toBe('golden-rows-count')
  expect(reasonOf({ objective: 'reg:logistic' })).toBe('objective-differs')
  expect(reasonOf({ model: fixture('dart.ubj') })).toBe('golden-rows-differ')
  expect(reasonOf({ createdBy: 'x'.repeat(limits.manifestBytesMax) })).toBe('manifest-too-large')
})

describe('modelOfBareFile()', () => {
  test('makes a model named by its hash, with the threshold of the plan, else 0.8', () => {
    const bytes = fixture('binary.json')
    const loaded = modelOfBareFile(bytes, planOf(), testCrypto)
    expect(loaded.version).toBe(`bare-${hexOfBytes(testCrypto.sha256(bytes)).slice(0, 12)}`)
    expect(loaded).toMatchObject({ name: 'bearing', threshold: 0.8, sha256: hexOfBytes(testCrypto.sha256(bytes)) })
    const strict = { ...planOf(), alert: { threshold: 0.8, whyMax: 3 } }
    expect(modelOfBareFile(bytes, strict, testCrypto).threshold).toBe(0.8)
  })

  test.each([
    ['plan-without-model', 'binary.ubj', planOf({ model: null })],
    ['signature-missing', 'binary.ubj', trusting],
    ['feature-count-differs', 'binary-named.ubj', planOf()],
    ['feature-names-differ', 'binary-named.ubj', planOf({ features: features.slice(0, 3) })],
    ['not-a-probability', 'count-poisson.ubj', planOf()],
  ])('refuses with %s: %s', (reason, name, plan) => {
    expect(() => modelOfBareFile(fixture(name), plan, testCrypto)).toThrow(
      expect.objectContaining({ code: 'MODEL_PACKAGE', reason }),
    )
  })
})
