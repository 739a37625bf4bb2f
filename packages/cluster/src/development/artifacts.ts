import { arch } from 'node:process'

/**
 * What the development cluster is made of: artifacts of Maven Central and PyPI, pinned. Raising a version is a change here
 * and nowhere else; `docs/guide/cluster.md` and `docs/guide/deploy.md` name the versions too, and a test holds them together.
 */

export const kafkaVersion = '4.4.0'
/** A line of brokers that many plants have still: the last but those of 4. Only `--kafka 3.8.1` and its smoke test take it. */
export const kafkaVersionEarlier = '3.8.1'
export const kafkaVersions = [kafkaVersion, kafkaVersionEarlier] as const
export type KafkaVersion = (typeof kafkaVersions)[number]
export const flinkVersion = '2.2.1'
/** The newest that exists for Flink 2.2. It pins kafka-clients 4.2.0, which speaks to brokers of 4.4. */
export const flinkKafkaConnectorVersion = '5.0.0-2.2'
export const zookeeperVersion = '3.9.4'
/** The newest that all of Javet's platforms have. */
export const javetVersion = '5.0.6'
/** What Flink itself logs with, so that all processes take the same settings. */
const log4jVersion = '2.24.3'

/** Jars of one class path, with what they need, resolved by Maven. */
export interface MavenArtifactSet {
  readonly kind: 'maven'
  readonly name: string
  /** `group:artifact:version`. */
  readonly coordinates: readonly string[]
  /** Artifact ids that are left out, wherever they are needed. */
  readonly excluded: readonly string[]
}

/** A folder of a wheel from PyPI. */
export interface WheelArtifactSet {
  readonly kind: 'wheel'
  readonly name: string
  /** Name and version as pip takes them. */
  readonly requirement: string
  /** Lower-case hex SHA-256 of the wheel: pip refuses any other. */
  readonly sha256: string
  readonly sizeBytes: number
  /** Folders of the installed wheel whose files are kept. */
  readonly folders: readonly string[]
}

export type ArtifactSet = MavenArtifactSet | WheelArtifactSet

/** A broker with its controller and tools. */
export function kafkaArtifacts(version: KafkaVersion): MavenArtifactSet {
  return {
    kind: 'maven',
    name: `kafka-${version}`,
    coordinates: [
      `org.apache.kafka:kafka_2.13:${version}`,
      `org.apache.logging.log4j:log4j-slf4j-impl:${log4jVersion}`,
      `org.apache.logging.log4j:log4j-core:${log4jVersion}`,
    ],
    // What brokers of 3 log with, where it is not told otherwise.
    excluded: version === kafkaVersionEarlier ? ['slf4j-reload4j', 'reload4j'] : [],
  }
}

/** The ZooKeeper that keeps Flink's high-availability data. Its server logs through SLF4J 2. */
export const zookeeperArtifacts: MavenArtifactSet = {
  kind: 'maven',
  name: `zookeeper-${zookeeperVersion}`,
  coordinates: [
    `org.apache.zookeeper:zookeeper:${zookeeperVersion}`,
    // The server answers `srvr` with metrics that it takes from there, but does not bring them.
    'io.dropwizard.metrics:metrics-core:4.1.12.1',
    'org.xerial.snappy:snappy-java:1.1.10.7',
    `org.apache.logging.log4j:log4j-slf4j2-impl:${log4jVersion}`,
    `org.apache.logging.log4j:log4j-core:${log4jVersion}`,
  ],
  excluded: ['netty-tcnative-boringssl-static', 'netty-tcnative-classes'],
}

/** The `lib/` of Flink's distribution, as PyFlink carries it, and the tool that sizes its memory. */
export const flinkArtifacts: WheelArtifactSet = {
  kind: 'wheel',
  name: `flink-${flinkVersion}`,
  requirement: `apache-flink-libraries==${flinkVersion}`,
  sha256: '74dc5546fbd9add8fbcdf1222a237e09491f9b80296241aef8676ec56f8e686e',
  sizeBytes: 312_587_297,
  folders: ['pyflink/lib', 'pyflink/bin'],
}

/**
 * What we put beside Flink's own jars, on the parent class path. Javet must be there: in a job's jar the second submission
 * cannot load its native library again.
 *
 * @param processor As Node names it; left out: this machine's.
 */
export function flinkAdditionArtifacts(processor: string = arch): MavenArtifactSet {
  const javetPlatform = processor === 'arm64' ? 'linux-arm64' : 'linux-x86_64'
  return {
    kind: 'maven',
    name: `flink-additions-${flinkVersion}`,
    coordinates: [
      `org.apache.flink:flink-connector-kafka:${flinkKafkaConnectorVersion}`,
      `org.apache.flink:flink-metrics-prometheus:${flinkVersion}`,
      `com.caoccao.javet:javet:${javetVersion}`,
      `com.caoccao.javet:javet-v8-${javetPlatform}:${javetVersion}`,
    ],
    // Flink carries its own, and two of them on one class path is a matter of luck.
    excluded: ['slf4j-api'],
  }
}
