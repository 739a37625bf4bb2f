/**
 * Kills a plant at random moments under load, at least `--hits` times in each phase of its work, and verifies what it
 * left: `node scripts/crash.ts --kills 200 --seed 1`. Another plant than the engine's own is named by `--subject MODULE`,
 * whose export `subject` is a `CrashSubject`. Prints one line of JSON; ends with 1 when anything is wrong.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { runCrashes } from '../packages/engine/src/testing/crash-harness.ts'
import type { CrashSubject } from '../packages/engine/src/testing/crash-subject.ts'
import { sumsSubject } from '../packages/engine/src/testing/crash-sums.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    hits: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    subject: { type: 'string' },
    /** Where the data goes; kept when something is wrong. */
    folder: { type: 'string' },
  },
})

const subject =
  values.subject === undefined
    ? sumsSubject
    : ((await import(pathToFileURL(resolve(values.subject)).href)) as { subject: CrashSubject }).subject
const root = values.folder ?? mkdtempSync(join(tmpdir(), 'millwright-crash-'))
const startedMs = performance.now()
const report = await runCrashes({
  subject,
  root,
  killCount: Number(values.kills),
  seed: Number(values.seed),
  hitsMin: Number(values.hits),
  onRun: ({ number, target, hit }) =>
    process.stderr.write(
      `run ${number}: ${hit === null ? 'SIGTERM' : `aimed at ${target}, hit ${hit.join(', ') || 'none'}`}\n`,
    ),
})
process.stdout.write(`${JSON.stringify({ ...report, seconds: Math.round((performance.now() - startedMs) / 1000) })}\n`)
if (report.problems.length === 0) {
  if (values.folder === undefined) rmSync(root, { recursive: true, force: true })
} else {
  process.stderr.write(`${report.problems.join('\n')}\nThe data is kept in ${root}\n`)
  process.exitCode = 1
}
