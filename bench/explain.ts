/**
 * Explaining: CPU microseconds a row of `contributions`, beside XGBoost's own `pred_contribs` on one thread, in one run.
 *
 *     node bench/explain.ts
 *
 * Two models: the peers' (3 features, 200 trees of depth 6) and one that XGBoost trains here (12 features, 300 trees of depth
 * 6, one value in twenty missing). The rows are independent of each other, which is the worst that caches can meet. *First*
 * holds the planning of the tables and the first filling; *cold* is the average of the first 1,300 rows with it, about what
 * a replay of 5 M readings explains; *warm* is a second pass over the rows. The walk is what trees without tables cost.
 * Not measured: reading the model, writing results.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readXgboostModel, type TreeModel } from '@millwright/scoring'
import { TreeShap } from '../packages/scoring/src/evaluate/tree-shap.ts'
import { table } from './measure.ts'
import { peersFolder, pythonWithOracles } from './peers.ts'

const coldRowCount = 1300
const rowCount = 4000
const walkedRowCount = 200

/** Trains (or loads) a model, writes its rows and XGBoost's contributions, prints the microseconds that a row took. */
const oracle = `
import sys, time, numpy as np, xgboost as xgb
model, rows_path, out_path, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
rng = np.random.default_rng(1)
if model.startswith("train:"):
    model = model[6:]
    x = rng.normal(size=(50000, 12)).astype("f4")
    score = x[:, 0] * 1.5 + np.sin(2 * x[:, 1]) + x[:, 2] * x[:, 3] + x[:, 4] * x[:, 5] * x[:, 6] + 0.3 * x[:, 7:].sum(1)
    x[rng.random(x.shape) < 0.05] = np.nan
    label = score + rng.normal(size=score.shape) > 0
    params = {"objective": "binary:logistic", "max_depth": 6, "eta": 0.1, "tree_method": "hist", "seed": 1}
    xgb.train(params, xgb.DMatrix(x, label=label), 300).save_model(model)
    rows = x[:count]
else:
    # Between the thresholds of each feature, so that rows meet the cells of the trees evenly.
    import json
    trees = json.load(open(model))["learner"]["gradient_booster"]["model"]["trees"]
    columns = {}
    for tree in trees:
        for left, feature, value in zip(tree["left_children"], tree["split_indices"], tree["split_conditions"]):
            if left != -1: columns.setdefault(feature, []).append(value)
    pick = lambda values: (rng.choice(values, count) + rng.choice(values, count)) / 2
    rows = np.stack([pick(columns[f]) for f in sorted(columns)], axis=1).astype("f4")
booster = xgb.Booster({"nthread": 1}, model_file=model)
matrix = xgb.DMatrix(rows[:200], nthread=1)
booster.predict(matrix, pred_contribs=True)
start = time.process_time()
found = booster.predict(matrix, pred_contribs=True)
print((time.process_time() - start) / len(rows[:200]) * 1e6)
rows.tofile(rows_path)
found.astype("f4").tofile(out_path)
`

interface Measured {
  readonly name: string
  readonly xgboost: number
  readonly walk: number
  readonly first: number
  readonly cold: number
  readonly warm: number
  readonly difference: number
}

function cpuMicroseconds(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

function float32sOf(path: string): Float32Array {
  return new Float32Array(Uint8Array.from(readFileSync(path)).buffer)
}

function measure(name: string, python: string, modelArgument: string, scratch: string): Measured {
  const rowsPath = join(scratch, 'rows.f32')
  const foundPath = join(scratch, 'contributions.f32')
  const run = spawnSync(python, ['-c', oracle, modelArgument, rowsPath, foundPath, String(rowCount)], {
    encoding: 'utf8',
  })
  if (run.status !== 0) throw new Error(`the oracle failed: ${run.stderr}`)
  const model = readXgboostModel(readFileSync(modelArgument.replace(/^train:/, ''))) as TreeModel
  const width = model.featureCount + 1
  const values = float32sOf(rowsPath)
  const wanted = float32sOf(foundPath)
  const out = new Float32Array(width)
  const rowOf = (row: number): Float32Array => values.subarray(row * model.featureCount, (row + 1) * model.featureCount)
  const explainAll = (shap: TreeShap, from: number, end: number): number =>
    cpuMicroseconds(() => {
      for (let row = from; row < end; row++) shap.explain(rowOf(row), out)
    })
  const treeCount = model.forest.roots.length
  const walker = new TreeShap(model, treeCount, 0)
  explainAll(walker, 0, walkedRowCount)
  const walk = explainAll(walker, 0, walkedRowCount) / walkedRowCount
  let shap = walker
  const first = cpuMicroseconds(() => {
    shap = new TreeShap(model, treeCount)
    shap.explain(rowOf(0), out)
  })
  const cold = (first + explainAll(shap, 1, coldRowCount)) / coldRowCount
  explainAll(shap, coldRowCount, rowCount)
  const warm = explainAll(shap, 0, rowCount) / rowCount
  let difference = 0
  for (let row = 0; row < wanted.length / width; row++) {
    shap.explain(rowOf(row), out)
    out.forEach((value, i) => {
      difference = Math.max(difference, Math.abs(value - (wanted[row * width + i] as number)))
    })
  }
  return { name, xgboost: Number(run.stdout), walk, first, cold, warm, difference }
}

const python = pythonWithOracles()
if (python === null) throw new Error('no Python with the oracles: CONTRIBUTING.md says how to have one')
const scratch = mkdtempSync(join(tmpdir(), 'millwright-explain-'))
try {
  const results = [measure('12 features, 300 × 6', python, `train:${join(scratch, 'model.json')}`, scratch)]
  const peers = peersFolder()
  if (peers === null) console.log('no folder of peers beside the repository: their model is left out')
  else results.unshift(measure('3 features, 200 × 6', python, join(peers, 'model.json'), scratch))
  console.log(
    table(
      [
        'model',
        'XGBoost µs',
        'walk µs',
        'first ms',
        'cold µs',
        'warm µs',
        'walk / warm',
        'XGBoost / warm',
        'difference',
      ],
      results.map(({ name, xgboost, walk, first, cold, warm, difference }) => [
        name,
        xgboost.toFixed(0),
        walk.toFixed(0),
        (first / 1000).toFixed(0),
        cold.toFixed(0),
        warm.toFixed(0),
        (walk / warm).toFixed(1),
        (xgboost / warm).toFixed(1),
        difference.toExponential(1),
      ]),
    ),
  )
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
