import { existsSync, rmSync } from 'node:fs'
import { clusterFolder } from './cluster-folder.ts'
import { checkClusterName } from './cluster-settings.ts'
import { withFileLock } from './file-lock.ts'
import { killProcess, runningProcess, stopProcess } from './managed-process.ts'
import type { ProgressReport } from './progress.ts'
import { brokerRoles, type ProcessRole, taskManagerRoles } from './roles.ts'

/** Flink first, so that it can still tell Kafka and ZooKeeper; each group together. */
const stopOrder: readonly (readonly ProcessRole[])[] = [
  [...taskManagerRoles, 'job-manager'],
  // Together: the last controllers cannot wait for a quorum that is no more, and are killed after the grace.
  brokerRoles,
  ['zookeeper'],
]

const lockWaitMsMax = 60_000
/** Enough for a broker to close its logs; what is killed recovers them at its next start. */
const graceMs = 10_000

export interface DownOptions {
  readonly cacheFolder: string
  readonly name: string
  readonly progress: ProgressReport
  /** Keep logs of brokers, checkpoints, ports and passwords for the next `up`. */
  readonly keepData: boolean
}

/**
 * Ends every process of a cluster and removes its folder, or with `keepData` only its processes. One that is not there, or is
 * down already, is no error.
 *
 * @returns The roles that were running.
 * @throws {ClusterStopError | ClusterBusyError | ConfigurationError}
 */
export async function takeDown(options: DownOptions): Promise<ProcessRole[]> {
  checkClusterName(options.name)
  const folder = clusterFolder(options.cacheFolder, options.name)
  if (!existsSync(folder.root)) return []
  const stopped: ProcessRole[] = []
  await withFileLock(folder.lock, { waitMsMax: lockWaitMsMax }, async () => {
    for (const group of stopOrder) {
      const running = group.filter((role) => runningProcess(folder, role) !== null)
      if (running.length === 0) continue
      options.progress.step(`Ending ${running.join(', ')}`)
      stopped.push(...running)
      await Promise.all(
        // What is not kept need not be closed well.
        running.map((role) => (options.keepData ? stopProcess(folder, role, { graceMs }) : killProcess(folder, role))),
      )
    }
    if (!options.keepData) rmSync(folder.root, { recursive: true, force: true })
  })
  return stopped
}
