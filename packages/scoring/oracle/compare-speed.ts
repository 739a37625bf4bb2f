/**
 * Scores per CPU second against XGBoost's C++ on one thread, on the same models and rows, after comparing every bit:
 *
 *     MILLWRIGHT_PYTHON=.venv/bin/python node packages/scoring/oracle/compare-speed.ts
 *
 * Each figure is the best of seven. Not measured: several threads, and XGBoost's Python around a batch of one row.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileScorer, readXgboostModel } from '../src/index.ts'
import { bitsOf, readFloat32s } from './cases.ts'

const python = process.env['MILLWRIGHT_PYTHON'] ?? join(import.meta.dirname, '../../../.venv/bin/python')
const folder = mkdtempSync(join(tmpdir(), 'millwright-speed-'))
try {
  const script = join(import.meta.dirname, 'compare_speed.py')
  const text = execFileSync(python, [script, folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  for (const { name, rowsPerCpuSecond } of JSON.parse(text) as { name: string; rowsPerCpuSecond: number }[]) {
    const found = measure(name)
    const { batchOf1000, batchOf1 } = found
    const line = {
      model: name,
      batchOf1000,
      batchOf1,
      xgboost: rowsPerCpuSecond,
      ratio: batchOf1000 / rowsPerCpuSecond,
    }
    process.stdout.write(
      `${JSON.stringify(line, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(3)) : value))}\n`,
    )
  }
} finally {
  rmSync(folder, { recursive: true })
}

function measure(name: string): { batchOf1000: number; batchOf1: number } {
  const scorer = compileScorer(readXgboostModel(readFileSync(join(folder, `${name}.ubj`))))
  const rows = readFloat32s(join(folder, `${name}.f32`))
  const out = new Float32Array(1000)
  scorer.score(rows, 1000, out)
  if (bitsOf(out).join() !== bitsOf(readFloat32s(join(folder, `${name}.predictions.f32`))).join())
    throw new Error(`${name}: not the bits of XGBoost`)
  const single = Array.from({ length: 1000 }, (_, row) =>
    rows.slice(row * scorer.featureCount, (row + 1) * scorer.featureCount),
  )
  const one = new Float32Array(1)
  return {
    batchOf1000: rowsPerCpuSecond(() => scorer.score(rows, 1000, out)),
    batchOf1: rowsPerCpuSecond(() => {
      for (const row of single) scorer.score(row, 1, one)
    }),
  }
}

function rowsPerCpuSecond(scoreThousand: () => void): number {
  let best = 0
  for (let attempt = 0; attempt < 7; attempt++) {
    const start = process.cpuUsage()
    let used = 0
    let rows = 0
    while (used < 150_000) {
      scoreThousand()
      rows += 1000
      const { user, system } = process.cpuUsage(start)
      used = user + system
    }
    best = Math.max(best, (rows * 1e6) / used)
  }
  return best
}
