/**
 * Runs all suites one after the other and closes with `N passed, N failed` over all of them. A suite that is not a test
 * runner counts as one. A suite that cannot be tried here counts as neither, and is named with its reason. What a suite prints is shown as it comes; of a failed one the end is shown again at the end of all, where
 * it is found though only the end of a long log is kept.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { skippedExitCode } from './proofs/support/proof.ts'

interface Suite {
  readonly name: string
  readonly command: readonly string[]
  /** Path of a Vitest JSON report that the command writes. */
  readonly report?: string
}

const root = join(import.meta.dirname, '..')
const scratch = mkdtempSync(join(tmpdir(), 'millwright-ci-'))
const report = join(scratch, 'vitest.json')
const npmRun = (script: string): readonly string[] => ['npm', 'run', '--silent', script]

/** By npm, whose path has the project's own Node first. */
const inNode = (script: string): readonly string[] => ['npm', 'exec', '--no', '-c', `node ${script}`]
const proof = (name: string): readonly string[] => inNode(`scripts/proofs/${name}.ts`)

const suites: readonly Suite[] = [
  { name: 'types', command: npmRun('typecheck') },
  { name: 'lint', command: npmRun('lint') },
  { name: 'import direction', command: npmRun('check:rooms') },
  { name: 'purity', command: npmRun('check:purity') },
  { name: 'documents', command: npmRun('check:docs') },
  { name: 'kernels', command: npmRun('check:kernels') },
  {
    name: 'tests',
    command: ['npm', 'test', '--', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    report,
  },
  { name: "peers' windows and probabilities", command: proof('peers') },
  { name: 'model swaps under load', command: proof('swap') },
  {
    name: 'kill -9, two hundred times',
    command: inNode('scripts/crash.ts --kills 200 --hits 20 --seed 1 --subject scripts/proofs/crash-plant/subject.ts'),
  },
  { name: 'SIGTERM under load', command: proof('stop') },
  { name: 'full disk', command: proof('full-disk') },
  { name: 'no route', command: proof('no-route') },
  { name: 'a day of a plant', command: inNode('scripts/proofs/plant-day.ts --seconds 120') },
  { name: 'the system, watched', command: proof('watching-system') },
  { name: 'drift found in days, no alarm without', command: inNode('--expose-gc scripts/proofs/watching.ts') },
  { name: 'changes of cases told, whatever fails', command: proof('delivery') },
  { name: 'the host in Java', command: inNode('scripts/test-host.ts') },
  { name: 'deployed to Flink and Kafka', command: proof('deploy') },
  { name: 'the same metrics on Flink', command: proof('flink-metrics') },
  { name: 'watched on Flink as on one machine', command: inNode('scripts/proofs/cluster-watching.ts --outage 0') },
  { name: 'ranges of history, readings and events in order', command: proof('history') },
  {
    name: 'exactly once over kills on the cluster',
    command: inNode('scripts/proofs/exactly-once.ts --hits 2 --seed 1'),
  },
  {
    name: 'equal on Flink at every parallelism',
    command: inNode('scripts/proofs/cluster-equality.ts --lines 100000'),
  },
  {
    name: 'deployments that leave no class loader behind',
    command: inNode('scripts/proofs/soak.ts --deployments 6 --minutes 1'),
  },
  { name: 'model swaps under load on Flink', command: inNode('scripts/proofs/cluster-swap.ts --swaps 20') },
  { name: "a project's own functions that fail on Flink", command: proof('poison') },
  { name: 'brokers of an earlier line', command: proof('kafka-earlier') },
]

/** Of what a failed suite printed, this much is shown again: claims that do not hold, and the end. */
const shownAgain = { claimsMax: 20, charactersMax: 2500 }
const drainMs = 5000

let passed = 0
let failed = 0
const skipped: { readonly name: string; readonly said: string }[] = []
const failures: { readonly name: string; readonly said: string }[] = []
for (const suite of suites) {
  process.stdout.write(`\n== ${suite.name}: ${suite.command.join(' ')}\n`)
  const startedMs = Date.now()
  const [program = '', ...args] = suite.command
  const { status, said } = await run(program, args)
  if (status === skippedExitCode) {
    skipped.push({ name: suite.name, said })
    process.stdout.write(`== ${suite.name}: skipped\n`)
    continue
  }
  const counts = suite.report === undefined ? null : countsOf(suite.report)
  passed += counts?.passed ?? (status === 0 ? 1 : 0)
  // A runner that fails without a failed test (a file that does not load, a crash) still fails the suite.
  const suiteFailed = counts === null ? (status === 0 ? 0 : 1) : Math.max(counts.failed, status === 0 ? 0 : 1)
  failed += suiteFailed
  if (suiteFailed > 0) failures.push({ name: suite.name, said })
  if ((counts?.skipped ?? 0) > 0)
    skipped.push({ name: suite.name, said: `${counts?.skipped} of its tests, each with its reason` })
  process.stdout.write(
    `== ${suite.name}: ${suiteFailed === 0 ? 'passed' : 'FAILED'} in ${Math.round((Date.now() - startedMs) / 1000)} s\n`,
  )
}
rmSync(scratch, { recursive: true, force: true })
for (const { name, said } of skipped) process.stdout.write(`\nskipped: ${name}: ${said.trimEnd().split('\n').at(-1)}\n`)
for (const { name, said } of failures) process.stdout.write(`\n== ${name}, of what it said:\n${shortOf(said)}\n`)
if (failures.length > 0) process.stdout.write(`\nfailed: ${failures.map(({ name }) => name).join(', ')}\n`)
process.stdout.write(`\n${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1

/** Runs a program to its end and shows what it prints as it comes. */
async function run(program: string, args: readonly string[]): Promise<{ status: number | null; said: string }> {
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const output of [child.stdout, child.stderr])
    output.setEncoding('utf8').on('data', (text: string) => {
      process.stdout.write(text)
      said += text
    })
  const closed = once(child, 'close')
  const [status] = (await once(child, 'exit')) as [number | null]
  // Of what it left running one may hold its output open.
  await Promise.race([closed, delay(drainMs, null, { ref: false })])
  return { status, said }
}

function shortOf(said: string): string {
  const { claimsMax, charactersMax } = shownAgain
  const end = said.slice(-charactersMax)
  const claims = said.slice(0, -charactersMax).match(/^.*(?:DOES NOT HOLD| FAIL ).*$/gm) ?? []
  return [...claims.slice(0, claimsMax), end].join('\n').trimEnd()
}

function countsOf(file: string): { passed: number; failed: number; skipped: number } | null {
  try {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(file, 'utf8')) as Record<
      string,
      number
    >
    return { passed: numPassedTests ?? 0, failed: numFailedTests ?? 1, skipped: numPendingTests ?? 0 }
  } catch (error) {
    process.stdout.write(`no report of the tests: ${String(error)}\n`)
    return null
  }
}
