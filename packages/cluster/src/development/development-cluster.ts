import { readFileSync } from 'node:fs'
import type { KafkaConnection } from '@millwright/gateways/kafka'
import type { FlinkClient } from '../flink/flink-client.ts'
import { KafkaAdministration } from '../kafka/administration.ts'
import { defaultCacheFolder } from './artifact-cache.ts'
import { awaitReady, bringUp, startRoles } from './bring-up.ts'
import { authorityPath } from './certificates.ts'
import type { ClusterFolder } from './cluster-folder.ts'
import type { ClusterSettings, ClusterSwitches } from './cluster-settings.ts'
import { ToolMissingError } from './errors.ts'
import { secureUser } from './kafka-process.ts'
import { killProcess, lastLines, recordedProcess, runningProcess, stopProcess } from './managed-process.ts'
import { loopback } from './ports.ts'
import { type Preparation, prepare } from './preparation.ts'
import { type ProcessUsage, usageOf } from './process-identity.ts'
import { type ProgressReport, silentProgress } from './progress.ts'
import type { ProcessRole, TaskManagerRole } from './roles.ts'
import { takeDown } from './take-down.ts'
import { findToolchain } from './toolchain.ts'
import { bootstrapServers, flinkClientOf, flinkUrl, secureBootstrapServers } from './views.ts'

/** A process that is asked to end gets so long before it is killed. */
const stopGraceMs = 30_000

export interface DevelopmentClusterOptions {
  /** 1–32 of a–z, 0–9 and `-`. Tests that kill processes use a name of their own. */
  readonly name: string
  readonly switches?: Partial<ClusterSwitches>
  readonly cacheFolder?: string
  readonly progress?: ProgressReport
}

/**
 * A running development cluster in the hands of a test: where it is, and how its processes are killed and started again one
 * by one.
 */
export class DevelopmentCluster {
  readonly name: string
  readonly folder: ClusterFolder
  readonly settings: ClusterSettings
  readonly #cacheFolder: string
  readonly #progress: ProgressReport
  #preparation: Promise<Preparation> | null = null

  private constructor(cacheFolder: string, folder: ClusterFolder, settings: ClusterSettings, progress: ProgressReport) {
    this.name = settings.name
    this.folder = folder
    this.settings = settings
    this.#cacheFolder = cacheFolder
    this.#progress = progress
  }

  /** Starts the cluster, or what is dead of it, and waits until it is ready. @throws As `bringUp`. */
  static async open(options: DevelopmentClusterOptions): Promise<DevelopmentCluster> {
    const cacheFolder = options.cacheFolder ?? defaultCacheFolder()
    const progress = options.progress ?? silentProgress
    const { folder, settings } = await bringUp({
      cacheFolder,
      name: options.name,
      progress,
      switches: options.switches ?? {},
    })
    return new DevelopmentCluster(cacheFolder, folder, settings, progress)
  }

  /** `HOST:PORT` of each broker, in the clear and without a user. */
  get bootstrapServers(): string[] {
    return bootstrapServers(this.settings)
  }

  /** How a client of ours reaches the brokers in the clear. */
  get kafka(): KafkaConnection {
    return { bootstrapServers: this.bootstrapServers }
  }

  /** How a client reaches the brokers with SASL/SCRAM and TLS. Only of a cluster made with `secure`. */
  get secureKafka(): KafkaConnection {
    return {
      bootstrapServers: secureBootstrapServers(this.settings),
      tls: { authority: readFileSync(authorityPath(this.folder), 'utf8') },
      sasl: { mechanism: 'SCRAM-SHA-512', username: secureUser, password: this.settings.password },
    }
  }

  /** Flink's REST API, and its page. */
  get flinkUrl(): string {
    return flinkUrl(this.settings)
  }

  /** Where Prometheus reads the metrics of a Flink process. */
  metricsUrl(role: 'job-manager' | TaskManagerRole): string {
    const { jobManager, taskManagers } = this.settings.ports
    return `http://${loopback}:${role === 'job-manager' ? jobManager.metrics : taskManagers[role].metrics}/metrics`
  }

  /** A client of the cluster's Flink; the caller closes it. */
  openFlink(): FlinkClient {
    return flinkClientOf(this.folder, this.settings)
  }

  /** A client for topics and nodes; the caller closes it. */
  openKafka(): KafkaAdministration {
    return new KafkaAdministration(this.kafka)
  }

  /** The process of a role; `null` when it does not run. */
  pid(role: ProcessRole): number | null {
    return runningProcess(this.folder, role)?.pid ?? null
  }

  /** What the process of a role takes; `null` when it does not run. */
  usage(role: ProcessRole): ProcessUsage | null {
    const identity = recordedProcess(this.folder, role)
    return identity === null ? null : usageOf(identity)
  }

  /** The last lines that a process wrote, for the message of a test. */
  lastLines(role: ProcessRole): string {
    return lastLines(this.folder, role)
  }

  /** Kills a process at once, as `kill -9`. @returns Whether it was running. @throws {ClusterStopError} */
  async kill(role: ProcessRole): Promise<boolean> {
    return killProcess(this.folder, role)
  }

  /** Asks a process to end, and kills it after half a minute. @throws {ClusterStopError} */
  async stop(role: ProcessRole): Promise<void> {
    await stopProcess(this.folder, role, { graceMs: stopGraceMs })
  }

  /** Starts the processes that do not run, of those given, and does not wait until they are ready. */
  async start(...roles: ProcessRole[]): Promise<void> {
    // Once: looking through the artifacts and asking Flink for its sizes takes seconds, and a test kills often.
    this.#preparation ??= prepare(this.#cacheFolder, this.folder, this.settings, this.#progress)
    await startRoles(this.folder, roles, await this.#preparation, this.#progress)
  }

  /** Waits until every process does its part. @throws {ClusterStartError} */
  async ready(): Promise<void> {
    await awaitReady(this.folder, this.settings, this.#progress)
  }

  /** Ends everything and removes the cluster's data. */
  async down(): Promise<void> {
    await takeDown({ cacheFolder: this.#cacheFolder, name: this.name, progress: this.#progress, keepData: false })
  }
}

/**
 * Does `work` with a cluster that is up, and leaves it up for the next: a start costs half a minute.
 *
 * @throws As `bringUp`, and what `work` throws.
 */
export async function withCluster<T>(
  options: DevelopmentClusterOptions,
  work: (cluster: DevelopmentCluster) => Promise<T>,
): Promise<T> {
  return work(await DevelopmentCluster.open(options))
}

/** Why no cluster can be had on this machine, for a test that is skipped; `null` when one can. */
export function clusterMissing(): string | null {
  try {
    findToolchain()
    return null
  } catch (error) {
    if (error instanceof ToolMissingError) return error.message
    throw error
  }
}
