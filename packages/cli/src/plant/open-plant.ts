import { createHash } from 'node:crypto'
import type { Plan } from '@millwright/core'
import { type Engine, openEngine } from '@millwright/engine'
import { createDoor, type Door } from '@millwright/gateways'
import { createReadingDecoder, deviceStateVersion } from '@millwright/operators'
import { describePlan } from '@millwright/plant'
import { workerModule } from '../installation.ts'
import { loadPackage } from '../models/load-package.ts'
import type { LoadedProject } from '../project/load-project.ts'
import { PackageJudge } from './published-models.ts'

/** A project on its data folder, open: the engine, and the door through which readings come to it. */
export interface OpenPlant {
  readonly plan: Plan
  readonly engine: Engine
  readonly door: Door
  /** Says which of the models published in the folder the plan takes. */
  readonly judge: PackageJudge
}

/** Devices whose partition the door remembers; further ones are looked up anew. */
const doorDevicesMax = 100_000

/**
 * Opens the engine of a project in worker threads.
 *
 * @param options.onFailure Told when the plant stopped by itself, for example since a user's function threw.
 * @throws What `openEngine` throws: the folder is held by another process, of a newer release, or damaged.
 */
export async function openPlant(options: {
  readonly project: LoadedProject
  readonly dataDirectory: string
  readonly workerCount: number
  readonly onFailure?: (error: Error) => void
}): Promise<OpenPlant> {
  const { project, dataDirectory, workerCount, onFailure } = options
  const { plan } = project
  const engine = await openEngine({
    directory: dataDirectory,
    partitionCount: plan.partitionCount,
    identity: identityOf(plan),
    operators: {
      mode: 'workers',
      module: workerModule,
      workerData: { configPath: project.configPath },
      workerCount: Math.min(workerCount, plan.partitionCount),
    },
    validateModel: (bytes) => {
      const { name, version, sha256 } = loadPackage(bytes, plan)
      return { name, version, sha256 }
    },
    retention: plan.retention,
    ...(onFailure === undefined ? {} : { onFailure }),
  })
  const decoder = createReadingDecoder({
    channels: plan.channels.map((channel) => channel.name),
    timestamp: plan.time.timestamp,
    devicesMax: doorDevicesMax,
  })
  return {
    plan,
    engine,
    judge: new PackageJudge(plan, dataDirectory),
    door: createDoor({ decoder, devicesMax: doorDevicesMax, partitionCount: plan.partitionCount }),
  }
}

/**
 * Names what decides results: the plan, users' functions included, and the form of the state. Two runs with one
 * identity may use each other's state.
 */
function identityOf(plan: Plan): string {
  return createHash('sha256')
    .update(`device-state ${deviceStateVersion}\n${describePlan(plan)}`)
    .digest('hex')
}
