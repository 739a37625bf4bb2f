/**
 * Writes the dashboards to deploy/grafana/dashboards; with `--check` only says whether they are as they would be written.
 *
 *   node scripts/dashboards/build.ts [--check]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dashboards } from './dashboards.ts'
import { grafanaJson } from './panels.ts'

const folder = join(import.meta.dirname, '../../deploy/grafana/dashboards')
mkdirSync(folder, { recursive: true })
const check = process.argv.includes('--check')
for (const dashboard of dashboards) {
  const path = join(folder, `${dashboard.uid}.json`)
  const text = grafanaJson(dashboard)
  if (!check) writeFileSync(path, text)
  else if (readFileSync(path, 'utf8') !== text) {
    process.stderr.write(`${path} is not what scripts/dashboards says: run node scripts/dashboards/build.ts\n`)
    process.exitCode = 1
  }
}
