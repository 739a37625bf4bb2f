/**
 * Runs the JUnit tests of the Java host (`packages/cluster/java`) by Maven, with what it builds outside the repository. Says why it does not
 * where a JDK 17 or Maven is missing. Prints the numbers of tests.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { defaultCacheFolder } from '../packages/cluster/src/development/index.ts'
import { findFetchTools, findToolchain } from '../packages/cluster/src/development/toolchain.ts'
import { skippedExitCode } from './proofs/support/proof.ts'

try {
  findToolchain()
  const { maven } = findFetchTools()
  const build = join(defaultCacheFolder(), 'host', `tests-${process.pid}`)
  const pom = join(import.meta.dirname, '../packages/cluster/java/pom.xml')
  try {
    const { status } = spawnSync(
      maven,
      ['--batch-mode', '--quiet', '--file', pom, `-Dmillwright.build=${build}`, 'test'],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    )
    const { run, failed } = countsOf(join(build, 'surefire-reports'))
    process.stdout.write(`host: ${run - failed} passed, ${failed} failed\n`)
    process.exitCode = status === 0 && failed === 0 && run > 0 ? 0 : 1
  } finally {
    rmSync(build, { recursive: true, force: true })
  }
} catch (error) {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'TOOL_MISSING') throw error
  process.stdout.write(`host: skipped: ${error.message}\n`)
  process.exitCode = skippedExitCode
}

function countsOf(folder: string): { run: number; failed: number } {
  const counts = { run: 0, failed: 0 }
  for (const name of readdirSync(folder)) {
    const found = /Tests run: (\d+), Failures: (\d+), Errors: (\d+)/.exec(
      name.endsWith('.txt') ? readFileSync(join(folder, name), 'utf8') : '',
    )
    if (found === null) continue
    counts.run += Number(found[1])
    counts.failed += Number(found[2]) + Number(found[3])
  }
  return counts
}
