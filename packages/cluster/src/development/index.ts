/** The cluster on this machine, for development and tests. It is no part of what is installed: see docs/guide/cluster.md. */
export { defaultCacheFolder } from './artifact-cache.ts'
export type { ClusterSettings, ClusterSwitches } from './cluster-settings.ts'
export { type ClusterStatus, clusterStatus, type ProcessStatus } from './cluster-status.ts'
export {
  clusterMissing,
  DevelopmentCluster,
  type DevelopmentClusterOptions,
  withCluster,
} from './development-cluster.ts'
export { type ProgressReport, silentProgress, streamProgress } from './progress.ts'
export type { BrokerRole, ProcessRole, TaskManagerRole } from './roles.ts'
