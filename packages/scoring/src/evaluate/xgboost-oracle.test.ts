import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, test } from 'vitest'
import { loadCases } from '../../oracle/cases.ts'
import { expectEqualsXgboost } from '../../oracle/expect-case.ts'

// XGBoost itself, on models of random shape over rows chosen to be nasty. MILLWRIGHT_ORACLE_SEEDS=100-120 tries more.

const repository = join(import.meta.dirname, '../../../..')
const python = process.env['MILLWRIGHT_PYTHON'] ?? join(repository, '.venv/bin/python')
const script = join(import.meta.dirname, '../../oracle/make_cases.py')

function whyNot(): string | null {
  if (!existsSync(python)) return `no Python at ${python} (set MILLWRIGHT_PYTHON)`
  const imported = spawnSync(python, ['-c', 'import xgboost'], { encoding: 'utf8' })
  return imported.status === 0 ? null : `${python} has no xgboost: ${imported.stderr.trim().split('\n').at(-1)}`
}

const reason = whyNot()
if (reason !== null) process.stderr.write(`xgboost-oracle.test.ts is skipped: ${reason}\n`)

const [first = 1, last = first] = (process.env['MILLWRIGHT_ORACLE_SEEDS'] ?? '1-2').split('-').map(Number)
const runs = [
  ['large', 0] as const,
  ...Array.from({ length: last - first + 1 }, (_, i) => ['random', first + i] as const),
]

/** Training the large models takes half a minute of an idle machine. */
const timeoutMs = 300_000

describe.skipIf(reason !== null)('compileScorer() equals XGBoost itself', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'millwright-oracle-'))
  afterAll(() => rmSync(scratch, { recursive: true, force: true }))

  test.each(runs)(
    'on the %s models of seed %i',
    (set, seed) => {
      const folder = join(scratch, `${set}-${seed}`)
      execFileSync(python, [script, folder, '--set', set, '--seed', String(seed)], {
        stdio: ['ignore', 'ignore', 'pipe'],
        // Threads that wait for each other in turns cost more than they give beside other tests.
        env: { ...process.env, OMP_NUM_THREADS: '1' },
      })
      for (const wanted of loadCases(folder).cases)
        for (const file of wanted.files) expectEqualsXgboost(folder, file, wanted)
    },
    timeoutMs,
  )
})
