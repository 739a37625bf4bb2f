/**
 * Makes the model packages of a release for `fixtures/scoring/packages`: `node make-package-fixtures.ts RELEASE`.
 * They are made once for each release and never again: tests open those of every release.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileScorer, makeBaseline, makeGoldenRows, packModel, readXgboostModel } from '../src/index.ts'
import { loadCases, type OracleCase } from './cases.ts'
import { testCrypto, testSigner } from './node-crypto.ts'

const release = process.argv[2]
if (release === undefined) throw new Error('which release?')
const fixtures = join(import.meta.dirname, '../../../fixtures/scoring')
const models = join(fixtures, 'xgboost-3.2.0')
const out = join(fixtures, 'packages')
mkdirSync(out, { recursive: true })

const { rows, rowCount, predictions } = loadCases(models).cases.find(({ name }) => name === 'binary') as OracleCase
const model = readFileSync(join(models, 'binary.ubj'))
const names = ['temperature', 'vibration', 'pressure', 'flow', 'hours']
const units = ['°C', 'mm/s', 'bar', 'l/min', 'h']
const content = {
  name: 'fixture',
  version: '1',
  createdBy: `make-package-fixtures.ts of release ${release}`,
  objective: 'binary:logistic',
  model,
  features: names.map((name, i) => ({ name, unit: units[i] as string })),
  threshold: 0.8,
  baseline: makeBaseline(rows, names, 10, predictions.slice(0, rowCount)),
  goldenRows: makeGoldenRows(compileScorer(readXgboostModel(model)), rows, 11),
  metrics: { auc: 0.93, precision: 0.5, leadTimeHours: null },
  sourceDataSha256: '0'.repeat(64),
}
writeFileSync(join(out, `release-${release}-unsigned.mwmodel`), packModel(content, testCrypto))
writeFileSync(join(out, `release-${release}-signed.mwmodel`), packModel(content, testCrypto, testSigner(1)))
