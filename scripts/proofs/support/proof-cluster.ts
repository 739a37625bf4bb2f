import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import {
  type ClusterSwitches,
  clusterMissing,
  DevelopmentCluster,
  defaultCacheFolder,
  streamProgress,
} from '../../../packages/cluster/src/development/index.ts'
import { takeDown } from '../../../packages/cluster/src/development/take-down.ts'
import { NotPossibleHere, numberArgument, type Proof } from './proof.ts'

const command = join(import.meta.dirname, '../../cluster.ts')

/**
 * Does `work` with a cluster that is made from nothing, and takes it down, however the work ends; `--keep 1` leaves it up.
 *
 * @throws {NotPossibleHere} Where there can be no cluster.
 */
export async function withProofCluster(
  proof: Proof,
  name: string,
  switches: Partial<ClusterSwitches>,
  work: (cluster: DevelopmentCluster) => Promise<void>,
): Promise<void> {
  const missing = clusterMissing()
  if (missing !== null) throw new NotPossibleHere(missing)
  const progress = streamProgress()
  const down = () => takeDown({ cacheFolder: defaultCacheFolder(), name, progress, keepData: false })
  const keep = numberArgument('keep', 0) !== 0
  await down()
  let isUp = !keep
  // A proof that takes too long, or is interrupted, ends at once: what is to be done then must not wait for this process.
  proof.onEnd(() => {
    if (isUp) spawnSync(process.execPath, [command, 'down', '--name', name], { stdio: 'inherit' })
  })
  try {
    await work(await DevelopmentCluster.open({ name, progress, switches: { highAvailability: false, ...switches } }))
  } finally {
    if (!keep) await down()
    isUp = false
  }
}
