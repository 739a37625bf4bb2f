/**
 * Proof: on a real Flink and a real Kafka each device gets byte for byte what the operator gives it, whatever the number of subtasks.
 *
 * - `peers`: the peers' input, against a replay, the reference job in Java, and XGBoost; at parallelism 1, 3 and 6 on 3 partitions.
 * - `generated`: a made history of at least 200 devices, with every kind of trouble and every kind of model activation in it, under an
 *   alert policy of many rules, at the same parallelisms.
 * - `rescaled`: one job over such a history that goes on with other numbers of subtasks, and then with another feature, from savepoints
 *   in the middle of its input.
 *
 *   node scripts/proofs/cluster-equality.ts [--part peers|generated|rescaled] [--lines 1000000] [--histories 70] [--keep 1]
 */
import { proveGenerated } from './support/generated-equality.ts'
import { provePeers } from './support/peers-equality.ts'
import { NotPossibleHere, numberArgument, type Proof, prove, textArgument } from './support/proof.ts'
import { withProofCluster } from './support/proof-cluster.ts'
import { proveRescaled } from './support/rescaled-equality.ts'

const part = textArgument('part', 'all')

await prove('cluster-equality', 1500, async (proof) => {
  await withProofCluster(proof, 'proof-equality', {}, async (cluster) => {
    const historyCount = numberArgument('histories', 70)
    const lineCount = numberArgument('lines', 1_000_000)
    if (part === 'all' || part === 'generated') await proveGenerated(proof, cluster, { historyCount })
    if (part === 'all' || part === 'rescaled') await proveRescaled(proof, cluster, { historyCount })
    if (part === 'all' || part === 'peers') await whereItCan(proof, () => provePeers(proof, cluster, { lineCount }))
  })
})

/** The peers and their oracles lie beside the repository: without them the other parts are proven all the same. */
async function whereItCan(proof: Proof, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof NotPossibleHere)) throw error
    proof.say(`the peers' input is left out: ${error.message}`)
  }
}
