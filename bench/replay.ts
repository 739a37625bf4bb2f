import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { benchScratch } from './machine.ts'
import { type Cost, measureCommand } from './measure.ts'
import { millwright, peersInput, peersScratch, pythonWithOracles, referenceProject } from './peers.ts'
import { atLeast, median, type Report, spread } from './report.ts'

const plainNode = 'plain Node script'
const duckdb = 'DuckDB, batch, 1 thread'

/**
 * Replay against peers on the same input: file → clean → windows → score → alerts. The peers and Millwright take turns,
 * so that what else the machine does falls on all of them.
 *
 * @param lineCount Readings, 1 or 5 million.
 * @param rounds Each runs so many times; the median of its CPU seconds counts.
 */
export async function benchReplay(lineCount: number, rounds: number): Promise<Report> {
  const input = peersInput(lineCount)
  const scratch = peersScratch()
  const out = mkdtempSync(join(benchScratch, 'replay-'))
  const python = pythonWithOracles()
  const model = join(scratch, 'model.json')
  const commands: Record<string, readonly string[]> = {
    Millwright: [
      ...millwright,
      'replay',
      referenceProject,
      '--input',
      input,
      '--out',
      join(out, 'm'),
      '--model',
      model,
    ],
    [plainNode]: [process.execPath, 'naive-node.cjs', input, join(out, 'naive.ndjson')],
  }
  if (python !== null) commands[duckdb] = [python, 'duckdb_batch.py', input, join(out, 'duck.ndjson'), '1']
  const costs = new Map<string, Cost[]>()
  try {
    for (let round = 0; round < rounds; round++)
      for (const [name, command] of Object.entries(commands)) {
        const cost = await measureCommand(command, { cwd: scratch })
        costs.set(name, [...(costs.get(name) ?? []), cost])
      }
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
  const cpuOf = (name: string): number => median((costs.get(name) ?? []).map((cost) => cost.cpuSeconds))
  const own = cpuOf('Millwright')
  const rows = [...costs].map(([name, runs]) => [
    name,
    median(runs.map((cost) => cost.wallSeconds)).toFixed(2),
    cpuOf(name).toFixed(2),
    spread(runs.map((cost) => cost.cpuSeconds)),
    (lineCount / cpuOf(name) / 1e6).toFixed(2),
    (Math.max(...runs.map((cost) => cost.peakRssBytes)) / 1e6).toFixed(0),
    (cpuOf(name) / own).toFixed(2),
  ])
  const goals = [atLeast('plain Node', cpuOf(plainNode) / own, 8)]
  if (python !== null) goals.unshift(atLeast('DuckDB batch', cpuOf(duckdb) / own, 2))
  return {
    title: `Replay, ${lineCount / 1e6} M lines, ${rounds} rounds by turns`,
    header: ['', 'wall s', 'CPU s', 'spread', 'M readings per CPU s', 'peak RSS MB', 'CPU, times Millwright’s'],
    rows,
    goals,
    notes: python === null ? ['DuckDB left out: no Python with the oracles (CONTRIBUTING.md)'] : [],
    figures: [...costs.keys()].map((name) => ({ name: `cpu ${name}`, value: cpuOf(name), unit: 's' })),
  }
}
