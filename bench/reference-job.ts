import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultCacheFolder } from '../packages/cluster/src/development/index.ts'
import { runTool } from '../packages/cluster/src/development/run-tool.ts'
import { peersScratch } from './peers.ts'

/** The reference job in Java lies beside the repository, as the peers do. */
const referenceSources = join(import.meta.dirname, '../../shared/reference-job')

/** The reference job's topic of windows. */
export const referenceOut = 'reference-alerts'

/** Arguments of a run of the reference job to the end of its topic. @param bootstrap Brokers, with commas between them. */
export function referenceArguments(bootstrap: string): string[] {
  const model = join(peersScratch(), 'model-for-xgboost4j.json')
  return ['--bootstrap', bootstrap, '--bounded', 'true', '--out', referenceOut, '--model', model]
}

/**
 * Holds windows against those of the reference job; @throws when the two do not say the same of the same windows, or say nothing.
 */
export function assertSame([first, second]: readonly Map<string, number>[]): void {
  if (first === undefined || first.size === 0) throw new Error('a run gives windows')
  if (second === undefined) return
  // A reading without a timestamp is a dead letter to us, and one of 1970 to the reference job.
  const windows = new Set([...first.keys(), ...second.keys()].filter((window) => !window.endsWith(' 0')))
  const differing = [...windows].filter((window) => first.get(window) !== second.get(window))
  if (differing.length === 0) return
  const shown = differing.slice(0, 5).map((window) => `${window}: ${first.get(window)}, ${second.get(window)}`)
  throw new Error(
    `${differing.length} of ${windows.size} windows are not the reference job's, such as ${shown.join('; ')}`,
  )
}

/**
 * Builds the reference job, once. Its Kafka connector stands in Flink's `lib/`, as ours does: a second copy in the jar would be loaded
 * anew for each run.
 */
export async function buildReference(): Promise<string> {
  if (!existsSync(referenceSources)) throw new Error('no reference job beside the repository; --only ours goes without')
  const folder = join(defaultCacheFolder(), 'bench/reference-job')
  const jar = join(folder, 'target/pdm-job-1.0.jar')
  if (existsSync(jar)) return jar
  mkdirSync(folder, { recursive: true })
  cpSync(referenceSources, folder, { recursive: true })
  const pom = join(folder, 'pom.xml')
  const connector = '<artifactId>flink-connector-kafka</artifactId><version>5.0.0-2.2</version>'
  writeFileSync(pom, readFileSync(pom, 'utf8').replace(connector, `${connector}<scope>provided</scope>`))
  await runTool('mvn', ['-B', '-q', '-f', pom, 'package'], { what: 'build the reference job by Maven' })
  return jar
}
