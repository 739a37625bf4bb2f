/** Type-checks every room under its own settings, then all tests and scripts. Prints one line a project. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const projects = readdirSync(join(root, 'packages'))
  .map((room) => `packages/${room}/tsconfig.json`)
  .filter((file) => existsSync(join(root, file)))
// What runs in Flink's V8 is one more step: no Node there, though its room has it.
projects.push('packages/cluster/src/guest/tsconfig.json', 'tsconfig.tests.json')

let failedCount = 0
for (const project of projects) {
  const { status, stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', project], {
    cwd: root,
    encoding: 'utf8',
  })
  if (status !== 0) {
    failedCount += 1
    process.stdout.write(`${project}\n${stdout}`)
  }
}
process.stdout.write(`types: ${projects.length - failedCount} passed, ${failedCount} failed\n`)
process.exitCode = failedCount === 0 ? 0 : 1
