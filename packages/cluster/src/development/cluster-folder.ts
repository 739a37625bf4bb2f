import { join } from 'node:path'
import type { ProcessRole } from './roles.ts'

/**
 * The folder of one cluster, and what lies where in it. Everything that a cluster writes is below it; its lock is beside it,
 * so that whoever waits for the lock while the folder is removed does not wait on a file that is no more.
 *
 * | in it | what |
 * |---|---|
 * | `cluster.json` | name, ports, passwords, switches: written once |
 * | `processes/ROLE` | which process has the role |
 * | `configuration/` | what the processes are started with; written anew by each `up` |
 * | `data/ROLE` | the log of a broker, ZooKeeper's tree |
 * | `checkpoints/`, `savepoints/`, `high-availability/` | Flink's |
 * | `temporary/ROLE` | emptied whenever the role is started |
 * | `logs/ROLE.log` | rolled; `logs/ROLE.out` has what the JVM itself prints |
 * | `certificates/` | of a secure cluster |
 */
export interface ClusterFolder {
  readonly root: string
  readonly settings: string
  /** Held while `up` or `down` works. */
  readonly lock: string
  readonly configuration: string
  readonly certificates: string
  readonly checkpoints: string
  readonly savepoints: string
  readonly highAvailability: string
  readonly logs: string
  readonly processes: string
  /** Where jars go that are uploaded: they outlive the JobManager's process. */
  readonly uploads: string
  record(role: ProcessRole): string
  data(role: ProcessRole): string
  temporary(role: ProcessRole): string
  log(role: ProcessRole): string
  output(role: ProcessRole): string
}

/** Names the folders of the cluster `name` below the cache. */
export function clusterFolder(cacheFolder: string, name: string): ClusterFolder {
  const root = join(clustersFolder(cacheFolder), name)
  const logs = join(root, 'logs')
  return {
    root,
    settings: join(root, 'cluster.json'),
    // No cluster's name has a dot.
    lock: `${root}.lock`,
    configuration: join(root, 'configuration'),
    certificates: join(root, 'certificates'),
    checkpoints: join(root, 'checkpoints'),
    savepoints: join(root, 'savepoints'),
    highAvailability: join(root, 'high-availability'),
    uploads: join(root, 'uploads'),
    logs,
    processes: join(root, 'processes'),
    record: (role) => join(root, 'processes', role),
    data: (role) => join(root, 'data', role),
    temporary: (role) => join(root, 'temporary', role),
    log: (role) => join(logs, `${role}.log`),
    output: (role) => join(logs, `${role}.out`),
  }
}

/** Where all clusters of a cache are. */
export function clustersFolder(cacheFolder: string): string {
  return join(cacheFolder, 'clusters')
}

/** Held while ports are chosen, so that no two clusters get the same. */
export function portsLock(cacheFolder: string): string {
  return join(clustersFolder(cacheFolder), '.ports.lock')
}
