import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ensureArtifacts } from './artifact-cache.ts'
import {
  flinkAdditionArtifacts,
  flinkArtifacts,
  kafkaArtifacts,
  kafkaVersion,
  zookeeperArtifacts,
} from './artifacts.ts'
import { ensureCertificates } from './certificates.ts'
import type { ClusterFolder } from './cluster-folder.ts'
import type { ClusterSettings } from './cluster-settings.ts'
import { writeConfiguration } from './configuration-file.ts'
import { ClusterStartError } from './errors.ts'
import {
  type FlinkJars,
  type FlinkResources,
  flinkConfiguration,
  flinkConfigurationFolder,
  flinkResourceArguments,
  jobManagerArguments,
  parseFlinkResources,
  taskManagerArguments,
} from './flink-process.ts'
import { brokerArguments, brokerConfiguration, brokerFormatArguments } from './kafka-process.ts'
import { ensureLoopbackProvider } from './loopback-provider.ts'
import type { ProcessCommand } from './managed-process.ts'
import type { ProgressReport } from './progress.ts'
import { type BrokerRole, brokerRoles, type ProcessRole, type TaskManagerRole } from './roles.ts'
import { runTool } from './run-tool.ts'
import { findToolchain, type Toolchain } from './toolchain.ts'
import { zookeeperArguments, zookeeperConfiguration } from './zookeeper-process.ts'

/** All that must be there before a process can be started, and how each is started then. */
export interface Preparation {
  commandOf(role: ProcessRole): ProcessCommand
}

/**
 * Fetches what is not in the cache, writes configuration and certificates, lays out the brokers' folders. Every part is left
 * alone where it is there already. The cluster's lock must be held.
 *
 * @throws {ToolMissingError | ArtifactError | ClusterStartError}
 */
export async function prepare(
  cacheFolder: string,
  folder: ClusterFolder,
  settings: ClusterSettings,
  progress: ProgressReport,
): Promise<Preparation> {
  const toolchain = findToolchain()
  const kafka = await ensureArtifacts(cacheFolder, kafkaArtifacts(settings.kafkaVersion ?? kafkaVersion), progress)
  const jars: FlinkJars = {
    distribution: await ensureArtifacts(cacheFolder, flinkArtifacts, progress),
    additions: await ensureArtifacts(cacheFolder, flinkAdditionArtifacts(), progress),
    loopbackProvider: await ensureLoopbackProvider(cacheFolder, toolchain),
  }
  const zookeeper = settings.highAvailability ? await ensureArtifacts(cacheFolder, zookeeperArtifacts, progress) : null
  writeConfiguration([
    ...(settings.highAvailability ? zookeeperConfiguration(folder, settings) : []),
    ...brokerRoles.flatMap((role) => brokerConfiguration(folder, settings, role)),
    ...flinkConfiguration(folder, settings),
  ])
  const folders = [folder.checkpoints, folder.savepoints, folder.highAvailability, folder.uploads, folder.logs]
  for (const path of folders) mkdirSync(path, { recursive: true })
  if (settings.secure) await ensureCertificates(folder, toolchain, settings.password)
  await formatBrokers(toolchain, folder, settings, kafka, progress)
  const [jobManager, taskManager] = await Promise.all([
    flinkResources(toolchain, folder, jars, 'GET_JM_RESOURCE_PARAMS'),
    flinkResources(toolchain, folder, jars, 'GET_TM_RESOURCE_PARAMS'),
  ])
  const argumentsOf = (role: ProcessRole): string[] => {
    if (role === 'zookeeper') return zookeeperArguments(folder, zookeeper ?? '')
    if (role === 'job-manager') return jobManagerArguments(folder, settings, jars, jobManager)
    if (role.startsWith('broker-')) return brokerArguments(folder, kafka, role as BrokerRole)
    const id = `${role}-${Date.now().toString(36)}`
    return taskManagerArguments(folder, settings, jars, taskManager, role as TaskManagerRole, id)
  }
  return {
    commandOf: (role) => ({
      role,
      program: toolchain.java,
      args: argumentsOf(role),
      environment: { FLINK_CONF_DIR: flinkConfigurationFolder(folder), FLINK_LIB_DIR: join(jars.distribution, 'lib') },
    }),
  }
}

async function formatBrokers(
  toolchain: Toolchain,
  folder: ClusterFolder,
  settings: ClusterSettings,
  jars: string,
  progress: ProgressReport,
): Promise<void> {
  const unformatted = brokerRoles.filter((role) => !existsSync(join(folder.data(role), 'meta.properties')))
  if (unformatted.length > 0) progress.step('Laying out the brokers’ data')
  for (const role of unformatted)
    await runTool(toolchain.java, brokerFormatArguments(folder, jars, settings, role), {
      what: `lay out the data of ${role}`,
    })
}

async function flinkResources(
  toolchain: Toolchain,
  folder: ClusterFolder,
  jars: FlinkJars,
  command: 'GET_JM_RESOURCE_PARAMS' | 'GET_TM_RESOURCE_PARAMS',
): Promise<FlinkResources> {
  const output = await runTool(toolchain.java, flinkResourceArguments(folder, jars, command), {
    what: 'size Flink’s memory',
  })
  const resources = parseFlinkResources(output)
  if (resources === null)
    throw new ClusterStartError(`Flink did not say how large its processes are. It said:\n${output}`)
  return resources
}
