import {
  type ClusterSwitches,
  clusterMissing,
  DevelopmentCluster,
  defaultCacheFolder,
  streamProgress,
} from '../../../packages/cluster/src/development/index.ts'
import { takeDown } from '../../../packages/cluster/src/development/take-down.ts'
import { NotPossibleHere, numberArgument } from './proof.ts'

/**
 * Does `work` with a cluster that is made from nothing, and takes it down, however the work ends; `--keep 1` leaves it up.
 *
 * @throws {NotPossibleHere} Where there can be no cluster.
 */
export async function withProofCluster(
  name: string,
  switches: Partial<ClusterSwitches>,
  work: (cluster: DevelopmentCluster) => Promise<void>,
): Promise<void> {
  const missing = clusterMissing()
  if (missing !== null) throw new NotPossibleHere(missing)
  const progress = streamProgress()
  await takeDown({ cacheFolder: defaultCacheFolder(), name, progress, keepData: false })
  try {
    await work(await DevelopmentCluster.open({ name, progress, switches: { highAvailability: false, ...switches } }))
  } finally {
    if (numberArgument('keep', 0) === 0)
      await takeDown({ cacheFolder: defaultCacheFolder(), name, progress, keepData: false })
  }
}
