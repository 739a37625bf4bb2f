import { join } from 'node:path'
import { keyStorePath, trustStorePath } from './certificates.ts'
import type { ClusterFolder } from './cluster-folder.ts'
import type { ClusterSettings } from './cluster-settings.ts'
import { type ConfigurationFile, propertiesText } from './configuration-file.ts'
import { javaArguments, logSettingsPath } from './java-command.ts'
import { logSettings } from './log-settings.ts'
import { loopback } from './ports.ts'
import { type BrokerRole, brokerCount, brokerNumber, brokerRoles } from './roles.ts'

/** The user of the secure listeners. */
export const secureUser = 'millwright'

const heapOptions = ['-Xms128m', '-Xmx512m', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20']

/** Path of a broker's own settings. */
export function brokerSettingsPath(folder: ClusterFolder, role: BrokerRole): string {
  return join(folder.configuration, `${role}.properties`)
}

/**
 * Returns the files of one combined broker and controller. docs/guide/cluster.md has a table of what differs from
 * production, and why.
 */
export function brokerConfiguration(
  folder: ClusterFolder,
  settings: ClusterSettings,
  role: BrokerRole,
): ConfigurationFile[] {
  const ports = settings.ports.brokers[role]
  const voters = brokerRoles.map(
    (other) => `${brokerNumber(other)}@${loopback}:${settings.ports.brokers[other].controller}`,
  )
  const listeners = {
    CLIENT: `${loopback}:${ports.client}`,
    CONTROLLER: `${loopback}:${ports.controller}`,
    ...(settings.secure ? { SECURE: `${loopback}:${ports.secure}` } : {}),
  }
  const text = (names: readonly string[]): string =>
    names.map((name) => `${name}://${listeners[name as keyof typeof listeners]}`).join(',')
  const names = Object.keys(listeners)
  return [
    {
      path: brokerSettingsPath(folder, role),
      text: propertiesText({
        'process.roles': 'broker,controller',
        'node.id': brokerNumber(role),
        'controller.quorum.voters': voters.join(','),
        listeners: text(names),
        'advertised.listeners': text(names.filter((name) => name !== 'CONTROLLER')),
        'listener.security.protocol.map': 'CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL',
        'inter.broker.listener.name': 'CLIENT',
        'controller.listener.names': 'CONTROLLER',
        'log.dirs': folder.data(role),
        // Topics are made on purpose: a misspelt name is an error, not a topic with one replica.
        'auto.create.topics.enable': false,
        'num.partitions': 3,
        'default.replication.factor': 2,
        'min.insync.replicas': 1,
        // Consumers' offsets and transactions survive a dead broker, with no acknowledged write lost.
        'offsets.topic.replication.factor': brokerCount,
        'transaction.state.log.replication.factor': brokerCount,
        'transaction.state.log.min.isr': 2,
        'share.coordinator.state.topic.replication.factor': brokerCount,
        'share.coordinator.state.topic.min.isr': 2,
        // 50 of each is for clusters with thousands of groups: here it is 300 open logs and a slow start.
        'offsets.topic.num.partitions': 6,
        'transaction.state.log.num.partitions': 6,
        'share.coordinator.state.topic.num.partitions': 3,
        'group.initial.rebalance.delay.ms': 0,
        // A topic that was made by hand and replays old data would lose it at once: no default retention.
        'log.retention.ms': -1,
        'log.segment.bytes': 64 * 1024 * 1024,
        // A dead broker is noticed after this; the default is 9 s.
        'broker.session.timeout.ms': 6_000,
        'broker.heartbeat.interval.ms': 1_000,
        'num.network.threads': 2,
        'num.io.threads': 4,
        // Above the 15 minutes of Flink's transactional sink by default; a job states its own.
        'transaction.max.timeout.ms': 900_000,
        // How soon transactions of a dead producer are ended once they are over their time.
        'transaction.abort.timed.out.transaction.cleanup.interval.ms': 2_000,
        ...(settings.secure ? secureProperties(folder, settings) : {}),
      }),
    },
    { path: logSettingsPath(folder, role), text: logSettings(folder.log(role)) },
  ]
}

function secureProperties(folder: ClusterFolder, settings: ClusterSettings): Record<string, string> {
  const login = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  return {
    // Of whoever comes by the listeners in the clear, the brokers themselves among them, nothing is kept; of every other user all that no rule allows.
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': `User:ANONYMOUS;User:${secureUser}`,
    'sasl.enabled.mechanisms': 'SCRAM-SHA-512,SCRAM-SHA-256',
    'listener.name.secure.scram-sha-512.sasl.jaas.config': login,
    'listener.name.secure.scram-sha-256.sasl.jaas.config': login,
    'listener.name.secure.ssl.keystore.type': 'PKCS12',
    'listener.name.secure.ssl.keystore.location': keyStorePath(folder),
    'listener.name.secure.ssl.keystore.password': settings.password,
    'listener.name.secure.ssl.key.password': settings.password,
    'listener.name.secure.ssl.truststore.type': 'PKCS12',
    'listener.name.secure.ssl.truststore.location': trustStorePath(folder),
    'listener.name.secure.ssl.truststore.password': settings.password,
  }
}

/** Arguments of `java` that run a broker. @param jars Folder of Kafka's jars. */
export function brokerArguments(folder: ClusterFolder, jars: string, role: BrokerRole): string[] {
  return javaArguments(folder, {
    role,
    classPath: [`${jars}/*`],
    options: [...heapOptions, `-Dkafka.logs.dir=${folder.logs}`],
    mainClass: 'kafka.Kafka',
    args: [brokerSettingsPath(folder, role)],
  })
}

/**
 * Arguments of `java` that lay out the data folder of a broker. The password stands on the command line of this short-lived
 * process, since the tool takes it nowhere else: good enough for a listener on the loopback address of a test.
 */
export function brokerFormatArguments(
  folder: ClusterFolder,
  jars: string,
  settings: ClusterSettings,
  role: BrokerRole,
): string[] {
  const scram = (mechanism: string): string[] => [
    '--add-scram',
    `${mechanism}=[name=${secureUser},password=${settings.password}]`,
  ]
  return [
    '-Xmx256m',
    '-XX:+UseSerialGC',
    `-Dlog4j2.configurationFile=${logSettingsPath(folder, role)}`,
    '-classpath',
    `${jars}/*`,
    'kafka.tools.StorageTool',
    'format',
    '--ignore-formatted',
    // One argument: an id may begin with a hyphen, and would be taken for a flag.
    `--cluster-id=${settings.kafkaClusterId}`,
    '--config',
    brokerSettingsPath(folder, role),
    ...(settings.secure ? [...scram('SCRAM-SHA-512'), ...scram('SCRAM-SHA-256')] : []),
  ]
}
