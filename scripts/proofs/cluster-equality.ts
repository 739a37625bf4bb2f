/**
 * Proof: on a real Flink and a real Kafka each device gets byte for byte what the operator gives it, whatever the number of subtasks.
 *
 * A made history of at least 200 devices, with every kind of trouble and every kind of model activation in it, at parallelism 1, 3
 * and 6 on 3 partitions.
 *
 *   node scripts/proofs/cluster-equality.ts [--histories 70] [--keep 1]
 */
import { proveGenerated } from './support/generated-equality.ts'
import { numberArgument, prove } from './support/proof.ts'
import { withProofCluster } from './support/proof-cluster.ts'

await prove('cluster-equality', 1500, async (proof) => {
  await withProofCluster('proof-equality', {}, async (cluster) => {
    await proveGenerated(proof, cluster, { historyCount: numberArgument('histories', 70) })
  })
})
