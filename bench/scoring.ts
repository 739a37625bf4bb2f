import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileScorer, readXgboostModel } from '@millwright/scoring'
import { benchScratch } from './machine.ts'
import { installOnnx, type OnnxRuntime, type OnnxSession, onnxRuntime } from './onnx.ts'
import { pythonWithOracles } from './peers.ts'
import { atLeast, type Goal, median, type Report } from './report.ts'

const batchRows = 1000
const modelNames = ['A', 'B', 'C'] as const
const sizes = { A: '3 features, 100 trees × depth 4', B: '12 features, 300 × 6', C: '50 features, 1,000 × 8' } as const
const ways = [
  'Millwright, batch 1',
  'Millwright, batch 1000',
  'XGBoost C++ predict, batch 1000',
  'XGBoost C++ inplace_predict, batch 1000',
  'onnxruntime-node, batch 1',
  'onnxruntime-node, batch 1000',
] as const
type Way = (typeof ways)[number]
type Name = (typeof modelNames)[number]

/**
 * Rows scored per CPU second, one thread each, against XGBoost's own C++ (called from Python, as its users do) and
 * onnxruntime-node. Whether the probabilities are the same bits as XGBoost's is checked in the same run.
 *
 * @param rounds Millwright and its peers take turns so many times; the median counts.
 */
export async function benchScoring(rounds: number, installPeers: boolean): Promise<Report> {
  const python = pythonWithOracles()
  if (python === null) throw new Error('no Python with XGBoost: CONTRIBUTING.md says how to have one')
  const folder = join(benchScratch, 'scoring')
  mkdirSync(folder, { recursive: true })
  oracle(python, 'train', folder)
  if (installPeers) installOnnx(python)
  const onnx = onnxRuntime(folder)
  const rates = new Map<string, number[]>()
  const note = (way: Way, name: Name, rate: number): void => {
    const key = `${way} ${name}`
    rates.set(key, [...(rates.get(key) ?? []), rate])
  }
  const differing: string[] = []
  for (let round = 0; round < rounds; round++) {
    for (const name of modelNames) {
      const own = scoreByMillwright(folder, name)
      note('Millwright, batch 1', name, own.one)
      note('Millwright, batch 1000', name, own.batch)
      if (own.differing > 0) differing.push(`${name}: ${own.differing} of ${batchRows}`)
      if (typeof onnx === 'string') continue
      const other = await scoreByOnnx(onnx, folder, name)
      note('onnxruntime-node, batch 1', name, other.one)
      note('onnxruntime-node, batch 1000', name, other.batch)
    }
    const measured = JSON.parse(oracle(python, 'measure', folder)) as Record<
      Name,
      { predict: number; inplace_predict: number }
    >
    for (const name of modelNames) {
      note('XGBoost C++ predict, batch 1000', name, measured[name].predict)
      note('XGBoost C++ inplace_predict, batch 1000', name, measured[name].inplace_predict)
    }
  }
  const rate = (way: Way, name: Name): number => median(rates.get(`${way} ${name}`) ?? [])
  const present = ways.filter((way) => rates.has(`${way} A`))
  const goals: Goal[] = modelNames.flatMap((name) => {
    const fastest = Math.max(
      rate('XGBoost C++ predict, batch 1000', name),
      rate('XGBoost C++ inplace_predict, batch 1000', name),
    )
    const against = [
      atLeast(
        `XGBoost C++ (the faster of its two) at batch 1000, ${name}`,
        rate('Millwright, batch 1000', name) / fastest,
        3,
      ),
    ]
    if (typeof onnx !== 'string')
      against.push(
        atLeast(
          `onnxruntime-node at batch 1, ${name}`,
          rate('Millwright, batch 1', name) / rate('onnxruntime-node, batch 1', name),
          10,
        ),
      )
    return against
  })
  goals.unshift({
    wanted: 'probabilities bit-equal to XGBoost’s, 1,000 rows of each model',
    found: differing.length === 0 ? 'no row differs' : differing.join('; '),
    met: differing.length === 0,
  })
  return {
    title: `Scoring, rows per CPU second, one thread, ${rounds} rounds by turns`,
    header: ['', ...modelNames.map((name) => `${name}: ${sizes[name]}`)],
    rows: present.map((way) => [way, ...modelNames.map((name) => thousands(rate(way, name)))]),
    goals,
    notes: typeof onnx === 'string' ? [onnx] : [],
    figures: present.flatMap((way) =>
      modelNames.map((name) => ({ name: `${way}, ${name}`, value: rate(way, name), unit: 'rows/CPU s' })),
    ),
  }
}

function scoreByMillwright(folder: string, name: Name): { one: number; batch: number; differing: number } {
  const rows = floats(join(folder, `${name}.f32`))
  const expected = floats(join(folder, `${name}.probability.f32`))
  const model = compileScorer(readXgboostModel(readFileSync(join(folder, `${name}.json`))))
  const { featureCount } = model
  const out = new Float32Array(batchRows)
  model.score(rows, batchRows, out)
  const differing = out.reduce((count, value, row) => count + (Object.is(value, expected[row]) ? 0 : 1), 0)
  const single = Array.from({ length: 256 }, (_, row) => rows.slice(row * featureCount, (row + 1) * featureCount))
  const one = new Float32Array(1)
  return {
    differing,
    batch: rowsPerCpuSecond(batchRows, () => model.score(rows, batchRows, out)),
    one: rowsPerCpuSecond(256, () => {
      for (const row of single) model.score(row, 1, one)
    }),
  }
}

async function scoreByOnnx(onnx: OnnxRuntime, folder: string, name: Name): Promise<{ one: number; batch: number }> {
  const rows = floats(join(folder, `${name}.f32`))
  const featureCount = rows.length / batchRows
  const session: OnnxSession = await onnx.InferenceSession.create(join(folder, `${name}.onnx`), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
  })
  const outputs = session.outputNames.filter((output) => /prob/i.test(output))
  const score = async (values: Float32Array, count: number): Promise<void> => {
    await session.run({ rows: new onnx.Tensor('float32', values, [count, featureCount]) }, outputs)
  }
  const single = Array.from({ length: 256 }, (_, row) => rows.slice(row * featureCount, (row + 1) * featureCount))
  return {
    batch: await rowsPerCpuSecondAsync(batchRows, () => score(rows, batchRows)),
    one: await rowsPerCpuSecondAsync(256, async () => {
      for (const row of single) await score(row, 1)
    }),
  }
}

const stretchMicroseconds = 400_000

/** The best of five stretches, as the oracle measures itself: what else the machine does only makes it slower. */
function rowsPerCpuSecond(rowCount: number, score: () => void): number {
  score()
  let best = 0
  for (let stretch = 0; stretch < 5; stretch++) {
    const before = process.cpuUsage()
    let calls = 0
    let used = 0
    while (used < stretchMicroseconds) {
      score()
      calls += 1
      const { user, system } = process.cpuUsage(before)
      used = user + system
    }
    best = Math.max(best, (calls * rowCount * 1e6) / used)
  }
  return best
}

async function rowsPerCpuSecondAsync(rowCount: number, score: () => Promise<void>): Promise<number> {
  await score()
  let best = 0
  for (let stretch = 0; stretch < 5; stretch++) {
    const before = process.cpuUsage()
    let calls = 0
    let used = 0
    while (used < stretchMicroseconds) {
      await score()
      calls += 1
      const { user, system } = process.cpuUsage(before)
      used = user + system
    }
    best = Math.max(best, (calls * rowCount * 1e6) / used)
  }
  return best
}

function floats(path: string): Float32Array {
  const bytes = readFileSync(path)
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
}

function oracle(python: string, task: 'train' | 'measure', folder: string): string {
  const { status, stdout, stderr } = spawnSync(python, [join(import.meta.dirname, 'scoring-oracle.py'), task, folder], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`scoring-oracle.py ${task}: ${stderr}`)
  return stdout
}

function thousands(rate: number): string {
  return rate >= 100_000 ? `${(rate / 1000).toFixed(0)} k` : `${(rate / 1000).toPrecision(3)} k`
}
