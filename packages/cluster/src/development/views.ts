import { readFileSync } from 'node:fs'
import { FlinkClient } from '../flink/flink-client.ts'
import type { FlinkOverview, FlinkTaskManager } from '../flink/flink-types.ts'
import { KafkaAdministration, type KafkaQuorum } from '../kafka/administration.ts'
import { authorityPath } from './certificates.ts'
import type { ClusterFolder } from './cluster-folder.ts'
import type { ClusterSettings } from './cluster-settings.ts'
import { taskManagerIdSetting } from './flink-process.ts'
import { runningProcess } from './managed-process.ts'
import { loopback } from './ports.ts'
import { commandLineOf } from './process-identity.ts'
import { brokerRoles, type TaskManagerRole } from './roles.ts'

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

/** The task managers that Flink knows, dead ones that it has not missed yet among them; throws when it does not answer. */
export async function askTaskManagers(folder: ClusterFolder, settings: ClusterSettings): Promise<FlinkTaskManager[]> {
  const client = flinkClientOf(folder, settings)
  try {
    return await client.taskManagers()
  } finally {
    await client.close()
  }
}

/** The name under which Flink knows the running process of a task manager; `null` when it does not run. */
export function taskManagerId(folder: ClusterFolder, role: TaskManagerRole): string | null {
  const identity = runningProcess(folder, role)
  if (identity === null) return null
  const prefix = `${taskManagerIdSetting}=`
  const argument = commandLineOf(identity).find((text) => text.startsWith(prefix))
  return argument === undefined ? null : argument.slice(prefix.length)
}
