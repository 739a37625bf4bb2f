import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FlinkClient, RunJarOptions } from '@millwright/cluster'
import type { Plan } from '@millwright/core'
import type { ScenarioOptions } from '@millwright/testkit'
import { bundleGuest } from '../../../packages/cluster/src/bundle/bundle-guest.ts'
import { describeJob } from '../../../packages/cluster/src/bundle/job-description.ts'
import { eventually } from './proof.ts'

const scenarioPath = join(import.meta.dirname, '../../../packages/testkit/src/scenario-plan.ts')

/** What a job of a proof is told beside what its plan says. */
export interface GuestSettings {
  readonly mergeInputs: boolean
  readonly cacheKeysMax: number
  readonly dirtyKeysMax: number
}

/**
 * Bundles a configuration into a folder that the host takes by `--guest`. @returns The folder.
 *
 * @param states What the devices' states are that the guest will find.
 */
export async function bundleInto(
  folder: string,
  configPath: string,
  plan: Plan,
  settings: Partial<GuestSettings> = {},
  states: Parameters<typeof bundleGuest>[1] = {},
): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const { script, sourceMap } = await bundleGuest(configPath, states)
  writeFileSync(join(folder, 'guest.js'), script)
  writeFileSync(join(folder, 'guest.js.map'), sourceMap)
  writeFileSync(join(folder, 'job.json'), JSON.stringify({ ...describeJob(plan), ...settings }))
  return folder
}

/** Writes a project whose plan is a generated one. @returns Path of its configuration. */
export function writeScenarioProject(folder: string, seed: number, options: ScenarioOptions, changed = 'plan'): string {
  mkdirSync(folder, { recursive: true })
  const config = join(folder, 'millwright.config.ts')
  writeFileSync(
    config,
    `import { scenarioPlan } from ${JSON.stringify(scenarioPath)}\n` +
      `const plan = scenarioPlan(${seed}, ${JSON.stringify(options)})\nexport default ${changed}\n`,
  )
  return config
}

/** Runs a bounded job to its end. @throws With Flink's reason, when it does not finish. */
export async function runToEnd(flink: FlinkClient, jarId: string, options: RunJarOptions): Promise<void> {
  const jobId = await flink.runJar(jarId, options)
  const state = await eventually('the end of the job', 300, async () => {
    const job = await flink.job(jobId)
    return ['FINISHED', 'FAILED', 'CANCELED'].includes(job.state) ? job.state : null
  })
  if (state === 'FINISHED') return
  const [first] = await flink.exceptions(jobId, 1)
  throw new Error(`the job ended as ${state}: ${first?.trace ?? 'no reason given'}`)
}
