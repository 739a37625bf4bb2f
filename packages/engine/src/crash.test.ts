import { expect, onTestFinished, test } from 'vitest'
import { runCrashes } from './testing/crash-harness.ts'
import { sumsSubject } from './testing/crash-sums.ts'
import { verifyCrashes } from './testing/crash-verify.ts'
import { SumOperator } from './testing/sum-operator.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

/** A short run of `scripts/crash.ts`, which kills hundreds of times. */
test('a plant that is killed at random moments loses nothing acknowledged, and its outputs equal a fresh run', async () => {
  const root = temporaryFolder(onTestFinished)
  const report = await runCrashes({ subject: sumsSubject, root, killCount: 6, seed: 11, hitsMin: 0, terminateEvery: 4 })
  expect(report.problems).toEqual([])
  expect(report).toMatchObject({ kills: 6, terminations: 1 })
  expect(report.acknowledgedCount).toBeGreaterThan(1000)
  expect(report.lineCount).toBeGreaterThanOrEqual(report.acknowledgedCount)
  expect(report.outputCount).toBeGreaterThan(1000)

  // The verification sees what it is there to see.
  const lost = await verifyCrashes(root, sumsSubject, new Set([1, 1_000_000_000]))
  expect(lost.problems).toEqual(['1 acknowledged lines are lost, the first is 1000000000'])
  const another = await verifyCrashes(
    root,
    { ...sumsSubject, createOperator: (_partition, sink) => new SumOperator(sink, { silentAfterMs: 1e12 }) },
    new Set(),
  )
  expect(another.problems.join()).toContain('in a fresh run')
}, 120_000)

test('too few hits in a phase are a problem', async () => {
  const root = temporaryFolder(onTestFinished)
  const report = await runCrashes({ subject: sumsSubject, root, killCount: 1, seed: 12, hitsMin: 2 })
  expect(report.problems).toHaveLength(4)
  expect(report.problems[0]).toMatch(/^[01] hits in ingestion, wanted 2$/)
}, 60_000)
