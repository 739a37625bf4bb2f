import { join } from 'node:path'
import { keyStorePath, trustStorePath } from './certificates.ts'
import type { ClusterFolder } from './cluster-folder.ts'
import type { ClusterSettings } from './cluster-settings.ts'
import type { ConfigurationFile } from './configuration-file.ts'
import { javaArguments, logSettingsPath } from './java-command.ts'
import { logSettings } from './log-settings.ts'
import { loopbackProviderOptions } from './loopback-provider.ts'
import { loopback } from './ports.ts'
import { slotsPerTaskManager, type TaskManagerRole, taskManagerRoles } from './roles.ts'

/** Where the jars of a Flink process are. */
export interface FlinkJars {
  /** Has `lib/` and `bin/`, as PyFlink carries them. */
  readonly distribution: string
  /** Connector, reporter, Javet. */
  readonly additions: string
  /** Folder of classes. */
  readonly loopbackProvider: string
}

/** What Flink's own tool answers: how large JVM and memory pools are. */
export interface FlinkResources {
  readonly jvmOptions: readonly string[]
  /** `-D key=value` and so on, for the program itself. */
  readonly dynamicOptions: readonly string[]
}

/** Folder of `config.yaml`. */
export function flinkConfigurationFolder(folder: ClusterFolder): string {
  return join(folder.configuration, 'flink')
}

/**
 * What a JVM of release 17 must open to Flink and its serialisers. Source: apache/flink
 * `flink-dist/src/main/resources/config.yaml`, `env.java.opts.all`.
 */
const moduleOptions: readonly string[] = [
  ...['api', 'file', 'parser', 'tree', 'util'].map(
    (name) => `--add-exports=jdk.compiler/com.sun.tools.javac.${name}=ALL-UNNAMED`,
  ),
  '--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED',
  '--add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED',
  ...[
    ...['java.lang', 'java.net', 'java.io', 'java.nio', 'sun.nio.ch', 'java.lang.reflect', 'java.text', 'java.time'],
    ...['java.util', 'java.util.concurrent', 'java.util.concurrent.atomic', 'java.util.concurrent.locks'],
  ].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
]

/**
 * Returns Flink's settings. docs/guide/cluster.md has a table of what differs from production, and why.
 *
 * The task manager's 2,560 MiB: 512 heap, 512 managed (RocksDB), 768 off-heap for V8 (3 slots × 256), 256 metaspace,
 * 256 overhead, the rest network and Flink's own.
 */
export function flinkSettings(folder: ClusterFolder, settings: ClusterSettings): Record<string, string> {
  const { jobManager, zookeeper } = settings.ports
  return {
    'jobmanager.rpc.address': loopback,
    'jobmanager.rpc.port': String(jobManager.rpc),
    'jobmanager.bind-host': loopback,
    'blob.server.port': String(jobManager.blob),
    'jobmanager.memory.process.size': '1024m',
    'rest.address': loopback,
    'rest.bind-address': loopback,
    'rest.port': String(jobManager.rest),
    'rest.bind-port': String(jobManager.rest),
    'web.upload.dir': folder.uploads,
    'taskmanager.host': loopback,
    'taskmanager.bind-host': loopback,
    'taskmanager.memory.process.size': '2560m',
    'taskmanager.memory.managed.size': '512m',
    'taskmanager.memory.task.off-heap.size': '768m',
    'taskmanager.memory.network.min': '128m',
    'taskmanager.memory.network.max': '128m',
    'taskmanager.memory.jvm-metaspace.size': '256m',
    'taskmanager.numberOfTaskSlots': String(slotsPerTaskManager),
    'taskmanager.load-balance.mode': 'SLOTS',
    'parallelism.default': '3',
    'state.backend.type': 'rocksdb',
    'execution.checkpointing.interval': '10 s',
    'execution.checkpointing.mode': 'EXACTLY_ONCE',
    'execution.checkpointing.incremental': 'true',
    'execution.checkpointing.dir': `file://${folder.checkpoints}`,
    'execution.checkpointing.savepoint-dir': `file://${folder.savepoints}`,
    'execution.checkpointing.num-retained': '2',
    'execution.checkpointing.tolerable-failed-checkpoints': '10',
    'heartbeat.interval': '2 s',
    'heartbeat.timeout': '10 s',
    'restart-strategy.type': 'exponential-delay',
    'restart-strategy.exponential-delay.initial-backoff': '500 ms',
    'restart-strategy.exponential-delay.max-backoff': '10 s',
    'restart-strategy.exponential-delay.reset-backoff-threshold': '1 min',
    'metrics.reporters': 'prom',
    'metrics.reporter.prom.factory.class': 'org.apache.flink.metrics.prometheus.PrometheusReporterFactory',
    // Else names of rules and reasons would be written in other characters than everywhere else.
    'metrics.reporter.prom.filterLabelValueCharacters': 'false',
    ...(settings.highAvailability
      ? {
          'high-availability.type': 'zookeeper',
          'high-availability.zookeeper.quorum': `${loopback}:${zookeeper}`,
          'high-availability.cluster-id': `/${settings.name}`,
          'high-availability.storageDir': `file://${folder.highAvailability}`,
          'high-availability.jobmanager.port': String(jobManager.rpc),
          'high-availability.zookeeper.client.session-timeout': '10 s',
          'high-availability.zookeeper.client.connection-timeout': '5 s',
          // Else each client looks for a Kerberos login first, and says at length that it found none.
          'zookeeper.sasl.disable': 'true',
        }
      : {}),
    ...(settings.secure
      ? {
          'security.ssl.rest.enabled': 'true',
          'security.ssl.rest.keystore': keyStorePath(folder),
          'security.ssl.rest.keystore-password': settings.password,
          'security.ssl.rest.key-password': settings.password,
          'security.ssl.rest.truststore': trustStorePath(folder),
          'security.ssl.rest.truststore-password': settings.password,
        }
      : {}),
    ...settings.flink,
  }
}

/** Returns the files that Flink's processes are started with. A setting of no text is left out: Flink has its own default then. */
export function flinkConfiguration(folder: ClusterFolder, settings: ClusterSettings): ConfigurationFile[] {
  // Quoted as JSON, which is YAML too: a value like `10 s` or `/a:b` stays text.
  const yaml = Object.entries(flinkSettings(folder, settings))
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
  const quieter = {
    'org.apache.pekko': 'WARN',
    'org.apache.kafka': 'WARN',
    'org.apache.flink.shaded.zookeeper3': 'WARN',
  }
  return [
    { path: join(flinkConfigurationFolder(folder), 'config.yaml'), text: yaml.join('') },
    ...(['job-manager', ...taskManagerRoles] as const).map((role) => ({
      path: logSettingsPath(folder, role),
      text: logSettings(folder.log(role), quieter),
    })),
  ]
}

/** Arguments of `java` that ask Flink how large its processes are. */
export function flinkResourceArguments(
  folder: ClusterFolder,
  jars: FlinkJars,
  command: 'GET_JM_RESOURCE_PARAMS' | 'GET_TM_RESOURCE_PARAMS',
): string[] {
  return [
    '-classpath',
    `${jars.distribution}/bin/bash-java-utils.jar:${jars.distribution}/lib/*`,
    'org.apache.flink.runtime.util.bash.BashJavaUtils',
    command,
    '--configDir',
    flinkConfigurationFolder(folder),
  ]
}

/** Marks the two lines of the answer. Source: apache/flink `flink-dist/src/main/flink-bin/bin/bash-java-utils.sh`. */
const answerPrefix = 'BASH_JAVA_UTILS_EXEC_RESULT:'

/** Reads the answer; `null` when it is not there. */
export function parseFlinkResources(output: string): FlinkResources | null {
  const lines = output.split('\n').filter((line) => line.startsWith(answerPrefix))
  const words = lines.map((line) => line.slice(answerPrefix.length).trim().split(/\s+/))
  const [jvmOptions, dynamicOptions] = words
  return jvmOptions === undefined || dynamicOptions === undefined ? null : { jvmOptions, dynamicOptions }
}

/** Arguments of `java` that run the JobManager of a session cluster. */
export function jobManagerArguments(
  folder: ClusterFolder,
  settings: ClusterSettings,
  jars: FlinkJars,
  resources: FlinkResources,
): string[] {
  return javaArguments(folder, {
    role: 'job-manager',
    classPath: classPathOf(jars),
    options: [
      ...resources.jvmOptions,
      ...moduleOptions,
      ...loopbackProviderOptions,
      ...chosenOptions(settings, 'jobmanager'),
    ],
    mainClass: 'org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint',
    args: [
      ...['--configDir', flinkConfigurationFolder(folder)],
      ...resources.dynamicOptions,
      ...dynamic('metrics.reporter.prom.port', settings.ports.jobManager.metrics),
      ...dynamic('io.tmp.dirs', folder.temporary('job-manager')),
    ],
  })
}

/** Setting that names a task manager to Flink. */
export const taskManagerIdSetting = 'taskmanager.resource-id'

/**
 * Arguments of `java` that run a task manager.
 *
 * @param id Names this process to Flink. Each start wants another: a new one under the name of a dead one that Flink has not
 *   missed yet would look as if it had never been away.
 */
export function taskManagerArguments(
  folder: ClusterFolder,
  settings: ClusterSettings,
  jars: FlinkJars,
  resources: FlinkResources,
  role: TaskManagerRole,
  id: string,
): string[] {
  const ports = settings.ports.taskManagers[role]
  return javaArguments(folder, {
    role,
    classPath: classPathOf(jars),
    options: [
      ...resources.jvmOptions,
      ...moduleOptions,
      ...loopbackProviderOptions,
      ...chosenOptions(settings, 'taskmanager'),
    ],
    mainClass: 'org.apache.flink.runtime.taskexecutor.TaskManagerRunner',
    args: [
      ...['--configDir', flinkConfigurationFolder(folder)],
      ...resources.dynamicOptions,
      ...dynamic(taskManagerIdSetting, id),
      ...dynamic('taskmanager.rpc.port', ports.rpc),
      ...dynamic('taskmanager.data.port', ports.data),
      ...dynamic('metrics.reporter.prom.port', ports.metrics),
      ...dynamic('io.tmp.dirs', folder.temporary(role)),
    ],
  })
}

/** Flink's scripts, which we do without, are what looks at these settings: options of the JVMs, parted by blanks. */
function chosenOptions({ flink }: ClusterSettings, program: 'jobmanager' | 'taskmanager'): string[] {
  return ['env.java.opts.all', `env.java.opts.${program}`].flatMap((key) => flink[key]?.match(/\S+/g) ?? [])
}

function dynamic(key: string, value: string | number): string[] {
  return ['-D', `${key}=${value}`]
}

function classPathOf(jars: FlinkJars): string[] {
  return [`${jars.distribution}/lib/*`, `${jars.additions}/*`, jars.loopbackProvider]
}
