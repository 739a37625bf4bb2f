import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cost, measureCommand, table } from './measure.ts'
import { millwright, peersInput, peersScratch, pythonWithOracles, referenceProject } from './peers.ts'

/**
 * Replay against peers on the same input: file → clean → windows → score → alerts. The peers and Millwright take turns,
 * so that what else the machine does falls on all of them.
 *
 * @param lineCount Readings, 1 or 5 million.
 * @param rounds Each peer runs so many times; the median of its CPU seconds counts.
 */
export async function benchReplay(lineCount: number, rounds: number): Promise<string> {
  const input = peersInput(lineCount)
  const scratch = peersScratch()
  const out = mkdtempSync(join(tmpdir(), 'millwright-bench-out-'))
  const python = pythonWithOracles()
  const commands: Record<string, readonly string[]> = {
    millwright: [
      ...millwright,
      'replay',
      referenceProject,
      '--input',
      input,
      '--out',
      join(out, 'm'),
      '--model',
      join(scratch, 'model.json'),
    ],
    'plain Node script': [process.execPath, 'naive-node.cjs', input, join(out, 'naive.ndjson')],
  }
  if (python !== null)
    commands['DuckDB, batch, 1 thread'] = [python, 'duckdb_batch.py', input, join(out, 'duck.ndjson'), '1']
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
  const median = (values: readonly number[]): number =>
    [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
  const own = median((costs.get('millwright') ?? []).map((cost) => cost.cpuSeconds))
  const rows = [...costs].map(([name, runs]) => {
    const cpu = median(runs.map((cost) => cost.cpuSeconds))
    return [
      name,
      median(runs.map((cost) => cost.wallSeconds)).toFixed(2),
      cpu.toFixed(2),
      (lineCount / cpu / 1e6).toFixed(2),
      `${(Math.max(...runs.map((cost) => cost.peakRssBytes)) / 1e6).toFixed(0)}`,
      name === 'millwright' ? '1' : (cpu / own).toFixed(1),
    ]
  })
  if (python === null) rows.push(['DuckDB', 'not measured: no Python with the oracles', '', '', '', ''])
  return table(
    [
      `replay, ${lineCount / 1e6} M lines, ${rounds} rounds`,
      'wall s',
      'CPU s',
      'M readings per CPU s',
      'peak RSS MB',
      'CPU times Millwright’s',
    ],
    rows,
  )
}
