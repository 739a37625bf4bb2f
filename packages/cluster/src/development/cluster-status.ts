import type { FlinkOverview } from '../flink/flink-types.ts'
import type { KafkaQuorum } from '../kafka/administration.ts'
import { portsOf } from './bring-up.ts'
import { clusterFolder } from './cluster-folder.ts'
import { type ClusterSettings, checkClusterName, readSettings } from './cluster-settings.ts'
import { recordedProcess } from './managed-process.ts'
import { usageOf } from './process-identity.ts'
import { type ProcessRole, rolesOf } from './roles.ts'
import { askFlink, askKafka, bootstrapServers, flinkUrl, secureBootstrapServers } from './views.ts'

/** One process of a cluster. */
export interface ProcessStatus {
  readonly role: ProcessRole
  /** `null` when it does not run. */
  readonly pid: number | null
  readonly ports: readonly number[]
  readonly residentBytes: number | null
  readonly cpuSeconds: number | null
  readonly upSeconds: number | null
  readonly logFile: string
}

/** A cluster as it is: its processes as this machine sees them, and what Kafka and Flink say themselves. */
export interface ClusterStatus {
  readonly name: string
  readonly folder: string
  readonly highAvailability: boolean
  readonly secure: boolean
  readonly bootstrapServers: readonly string[]
  /** `null` where the cluster is not secure. */
  readonly secureBootstrapServers: readonly string[] | null
  readonly flinkUrl: string
  readonly processes: readonly ProcessStatus[]
  /** What it says, or why it says nothing. */
  readonly kafka: KafkaQuorum | { readonly error: string }
  readonly flink: FlinkOverview | { readonly error: string }
}

/** Looks at a cluster; `null` when there is none of that name. @throws {ConfigurationError | ClusterSettingsError} */
export async function clusterStatus(cacheFolder: string, name: string): Promise<ClusterStatus | null> {
  checkClusterName(name)
  const folder = clusterFolder(cacheFolder, name)
  const settings = readSettings(folder)
  if (settings === null) return null
  const processes = rolesOf(settings).map((role) => processStatus(settings, folder, role))
  const runs = (prefix: string): boolean => processes.some(({ role, pid }) => role.startsWith(prefix) && pid !== null)
  const [kafka, flink] = await Promise.all([
    runs('broker-') ? askKafka(settings).catch(errorOf) : { error: 'no broker runs' },
    runs('job-manager') ? askFlink(folder, settings).catch(errorOf) : { error: 'the JobManager does not run' },
  ])
  return {
    name,
    folder: folder.root,
    highAvailability: settings.highAvailability,
    secure: settings.secure,
    bootstrapServers: bootstrapServers(settings),
    secureBootstrapServers: settings.secure ? secureBootstrapServers(settings) : null,
    flinkUrl: flinkUrl(settings),
    processes,
    kafka,
    flink,
  }
}

function processStatus(
  settings: ClusterSettings,
  folder: ReturnType<typeof clusterFolder>,
  role: ProcessRole,
): ProcessStatus {
  const identity = recordedProcess(folder, role)
  const usage = identity === null ? null : usageOf(identity)
  return {
    role,
    pid: usage === null || identity === null ? null : identity.pid,
    ports: portsOf(settings, role),
    residentBytes: usage?.residentBytes ?? null,
    cpuSeconds: usage?.cpuSeconds ?? null,
    upSeconds: usage?.upSeconds ?? null,
    logFile: folder.log(role),
  }
}

function errorOf(error: unknown): { error: string } {
  return { error: error instanceof Error ? error.message : String(error) }
}
