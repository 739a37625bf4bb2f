/**
 * Proof: on a secure development cluster our clients reach Kafka by SASL/SCRAM and TLS and Flink's REST by TLS, with the
 * cluster's own authority trusted, and are refused with a plain reason where password or authority are wrong. A plant runs there whose users
 * have just the rights that the guides name; a right that is missing is named; and no password is found where others may look: in what Flink
 * tells of its jobs and of itself, in logs and checkpoints, in the arguments of processes, in what our commands say.
 *
 *   node scripts/proofs/cluster-secure.ts [--keep 1]
 */
import { rootCertificates } from 'node:tls'
import type { DevelopmentCluster } from '../../packages/cluster/src/development/index.ts'
import {
  FlinkClient,
  FlinkUnreachableError,
  KafkaAdministration,
  topicDefinitions,
} from '../../packages/cluster/src/index.ts'
import { KafkaAuthenticationError, type KafkaConnection } from '../../packages/gateways/src/kafka/index.ts'
import { proveSecuredJob } from './secure/secured-job.ts'
import { readTopic, sendForever } from './support/cluster-records.ts'
import { type Proof, pause, prove } from './support/proof.ts'
import { withProofCluster } from './support/proof-cluster.ts'

await prove('cluster-secure', 1200, (proof) =>
  withProofCluster(proof, 'proof-secure', { secure: true }, (cluster) => body(proof, cluster)),
)

async function body(proof: Proof, cluster: DevelopmentCluster): Promise<void> {
  const secure = cluster.secureKafka

  const administration = new KafkaAdministration(secure)
  const { created } = await administration.ensureTopics(topicDefinitions())
  proof.check(created.includes('sensor-data'), 'topics are made by SASL/SCRAM-SHA-512 and TLS')
  await administration.close()
  const load = sendForever(secure, 'sensor-data', 4, { size: 10, pauseMs: 10 })
  await pause(1_000)
  const { sent, failed } = await load.stop()
  const read = await readTopic(secure, 'sensor-data', {
    committedOnly: true,
    enough: sent,
    quietMs: 500,
    secondsMax: 30,
  })
  proof.check(sent > 0 && failed === 0 && read.length === sent, `${sent} records were sent and read so`)

  const sasl = secure.sasl as NonNullable<KafkaConnection['sasl']>
  const refusals: [string, KafkaConnection][] = [
    ['a wrong password', { ...secure, sasl: { ...sasl, password: 'wrong' } }],
    ['an authority that is not trusted', { ...secure, tls: { authority: rootCertificates[0] as string } }],
    ['a client in the clear', { bootstrapServers: secure.bootstrapServers }],
  ]
  for (const [what, connection] of refusals) {
    const client = new KafkaAdministration({ ...connection, timeoutMs: 5_000 })
    const error = await client.quorum().then(
      () => null,
      (reason: Error) => reason,
    )
    await client.close()
    proof.check(
      error instanceof KafkaAuthenticationError && !error.message.includes(sasl.password),
      `${what} is refused: ${error?.message}`,
    )
  }

  const flink = cluster.openFlink()
  const overview = await flink.overview()
  await flink.close()
  proof.check(cluster.flinkUrl.startsWith('https:') && overview.slotCount === 6, 'Flink answers by TLS')
  const stranger = new FlinkClient({ url: cluster.flinkUrl, attemptsMax: 1 })
  const error = await stranger.overview().catch((reason: unknown) => reason)
  await stranger.close()
  proof.check(
    error instanceof FlinkUnreachableError,
    `without its authority it is refused: ${(error as Error).message}`,
  )
  await proveSecuredJob(proof, cluster)
}
