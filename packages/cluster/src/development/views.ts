import { readFileSync } from 'node:fs'
import { FlinkClient } from '../flink/flink-client.ts'
import type { FlinkOverview } from '../flink/flink-types.ts'
import { KafkaAdministration, type KafkaQuorum } from '../kafka/administration.ts'
import { authorityPath } from './certificates.ts'
import type { ClusterFolder } from './cluster-folder.ts'
import type { ClusterSettings } from './cluster-settings.ts'
import { loopback } from './ports.ts'
import { brokerRoles } from './roles.ts'

/** How long one question to a process of this machine may take; it is asked again. */
const answerMsMax = 5_000

/** `HOST:PORT` of each broker, without security. */
export function bootstrapServers(settings: ClusterSettings): string[] {
  return brokerRoles.map((role) => `${loopback}:${settings.ports.brokers[role].client}`)
}

/** `HOST:PORT` of each broker's listener with SASL/SCRAM and TLS. */
export function secureBootstrapServers(settings: ClusterSettings): string[] {
  return brokerRoles.map((role) => `${loopback}:${settings.ports.brokers[role].secure}`)
}

/** Flink's REST, and its page. */
export function flinkUrl(settings: ClusterSettings): string {
  return `${settings.secure ? 'https' : 'http'}://${loopback}:${settings.ports.jobManager.rest}`
}

/** A client of the cluster's Flink. */
export function flinkClientOf(folder: ClusterFolder, settings: ClusterSettings): FlinkClient {
  return new FlinkClient({
    url: flinkUrl(settings),
    ...(settings.secure ? { authority: readFileSync(authorityPath(folder), 'utf8') } : {}),
  })
}

/** What Kafka says of its brokers; throws when none answers. */
export async function askKafka(settings: ClusterSettings): Promise<KafkaQuorum> {
  const administration = new KafkaAdministration({
    bootstrapServers: bootstrapServers(settings),
    timeoutMs: answerMsMax,
  })
  try {
    return await administration.quorum()
  } finally {
    await administration.close()
  }
}

/** What Flink says of itself; throws when it does not answer. */
export async function askFlink(folder: ClusterFolder, settings: ClusterSettings): Promise<FlinkOverview> {
  const client = flinkClientOf(folder, settings)
  try {
    return await client.overview()
  } finally {
    await client.close()
  }
}
