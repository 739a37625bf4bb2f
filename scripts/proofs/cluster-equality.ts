/**
 * Proof: on a real Flink and a real Kafka each device gets byte for byte what the operator gives it, whatever the number of subtasks.
 *
 * A made history of at least 200 devices, with every kind of trouble and every kind of model activation in it: at parallelism 1, 3
 * and 6 on 3 partitions, and in one job that is rescaled from savepoints in the middle of it, and then upgraded.
 *
 *   node scripts/proofs/cluster-equality.ts [--part generated|rescaled] [--histories 70] [--keep 1]
 */
import { proveGenerated } from './support/generated-equality.ts'
import { numberArgument, prove, textArgument } from './support/proof.ts'
import { withProofCluster } from './support/proof-cluster.ts'
import { proveRescaled } from './support/rescaled-equality.ts'

const part = textArgument('part', 'all')

await prove('cluster-equality', 1500, async (proof) => {
  await withProofCluster('proof-equality', {}, async (cluster) => {
    const historyCount = numberArgument('histories', 70)
    if (part === 'all' || part === 'generated') await proveGenerated(proof, cluster, { historyCount })
    if (part === 'all' || part === 'rescaled') await proveRescaled(proof, cluster, { historyCount })
  })
})
