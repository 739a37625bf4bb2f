import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleGuest } from '../packages/cluster/src/bundle/bundle-guest.ts'
import { describeJob } from '../packages/cluster/src/bundle/job-description.ts'
import { defaultCacheFolder } from '../packages/cluster/src/development/index.ts'
import { runTool } from '../packages/cluster/src/development/run-tool.ts'
import { preparedProject } from './prepared-plant.ts'

const root = join(import.meta.dirname, '..')

/** Puts the script and description of the reference plant into a folder. @returns It. */
export async function bundleInto(folder: string, mergeInputs = false): Promise<string> {
  mkdirSync(folder, { recursive: true })
  // The scratch folder has no packages: bundling gives a configuration the release's own.
  const config = join(await preparedProject(), 'millwright.config.ts')
  const { default: plan } = await import(join(root, 'bench/reference-plant/millwright.config.ts'))
  const { script, sourceMap } = await bundleGuest(config)
  writeFileSync(join(folder, 'guest.js'), script)
  writeFileSync(join(folder, 'guest.js.map'), sourceMap)
  writeFileSync(join(folder, 'job.json'), JSON.stringify({ ...describeJob(plan), mergeInputs }))
  return folder
}

/** Builds the host by Maven, in the cache. @returns Its jar, and the folder of its classes. */
export async function buildHost(): Promise<{ readonly jar: string; readonly classes: string }> {
  const build = join(defaultCacheFolder(), 'bench/host')
  const pom = join(root, 'packages/cluster/java/pom.xml')
  await runTool('mvn', ['-B', '-q', '-o', '-f', pom, `-Dmillwright.build=${build}`, '-DskipTests', 'package'], {
    what: 'build the host by Maven',
  })
  return { jar: join(build, 'millwright-host.jar'), classes: join(build, 'classes') }
}
