import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigurationError } from '@millwright/core'
import type { KafkaVersion } from './artifacts.ts'
import { type ClusterFolder, clustersFolder } from './cluster-folder.ts'
import { ClusterSettingsError } from './errors.ts'
import { chooseFreePorts } from './ports.ts'
import { type BrokerRole, brokerRoles, type TaskManagerRole, taskManagerRoles } from './roles.ts'

/**
 * What a cluster is, chosen once and kept in its folder.
 *
 * C1. The settings are written whole before the first process is started, and never changed after.
 * C2. No two clusters of a cache are promised the same port, whether they run or not.
 */

/** Raised whenever the folder changes its meaning: clusters of another version are taken down by the release that made them. */
const settingsVersion = 1

/** Longest name of a cluster: it stands in paths, of which sockets and checkpoints make long ones. */
const nameCharactersMax = 32

export interface BrokerPorts {
  readonly client: number
  readonly controller: number
  /** SASL and TLS; only a secure cluster listens on it. */
  readonly secure: number
}

export interface ClusterPorts {
  readonly brokers: Readonly<Record<BrokerRole, BrokerPorts>>
  readonly zookeeper: number
  readonly jobManager: { readonly rest: number; readonly rpc: number; readonly blob: number; readonly metrics: number }
  readonly taskManagers: Readonly<
    Record<TaskManagerRole, { readonly rpc: number; readonly data: number; readonly metrics: number }>
  >
}

/** What a user may choose when a cluster is made; later only the same may be asked for. */
export interface ClusterSwitches {
  /** Whether a ZooKeeper keeps Flink's jobs beyond the death of its JobManager. */
  readonly highAvailability: boolean
  /** Whether brokers also listen with SASL/SCRAM and TLS, and Flink's REST with TLS. */
  readonly secure: boolean
  /** Settings of Flink that go before ours; one of no text takes ours away. */
  readonly flink: Readonly<Record<string, string>>
  /** Of the brokers; left out: the one that is developed against. */
  readonly kafkaVersion?: KafkaVersion
}

export interface ClusterSettings extends ClusterSwitches {
  readonly version: number
  readonly name: string
  /** Kafka's id of the cluster: 16 random bytes, base64url. */
  readonly kafkaClusterId: string
  readonly ports: ClusterPorts
  /** Of the secure listeners, the key stores and the one user `millwright`. */
  readonly password: string
}

export const defaultSwitches: ClusterSwitches = { highAvailability: true, secure: false, flink: {} }

/**
 * Checks a cluster's name: 1–32 lower-case letters, digits and hyphens, beginning with a letter or digit.
 *
 * @throws {ConfigurationError}
 */
export function checkClusterName(name: string): void {
  if (name.length > nameCharactersMax || !/^[a-z0-9][a-z0-9-]*$/.test(name))
    throw new ConfigurationError('The cluster has no usable name:', [
      {
        field: 'name',
        found: JSON.stringify(name),
        wanted: `1–${nameCharactersMax} of a–z, 0–9 and "-", not beginning with "-"`,
      },
    ])
}

/** Reads a cluster's settings; `null` when there is no such cluster. @throws {ClusterSettingsError} */
export function readSettings(folder: ClusterFolder): ClusterSettings | null {
  if (!existsSync(folder.settings)) return null
  const settings = JSON.parse(readFileSync(folder.settings, 'utf8')) as ClusterSettings
  if (settings.version !== settingsVersion)
    throw new ClusterSettingsError(
      `${folder.settings} is of version ${settings.version}, wanted ${settingsVersion}: take the cluster down with the release that made it, or remove its folder when none of its processes runs.`,
      { details: { path: folder.settings, found: settings.version } },
    )
  return settings
}

/**
 * Reads the settings, or makes them with new ports (C1, C2). The cluster's lock must be held, and the cache's.
 *
 * @throws {ClusterSettingsError} When the cluster has others than those asked for.
 */
export async function ensureSettings(
  cacheFolder: string,
  folder: ClusterFolder,
  name: string,
  wanted: Partial<ClusterSwitches>,
): Promise<ClusterSettings> {
  const found = readSettings(folder)
  if (found !== null) {
    refuseOthers(found, wanted)
    return found
  }
  const settings: ClusterSettings = {
    version: settingsVersion,
    name,
    ...defaultSwitches,
    ...wanted,
    kafkaClusterId: randomBytes(16).toString('base64url'),
    ports: await choosePorts(promisedPorts(cacheFolder)),
    password: randomBytes(16).toString('hex'),
  }
  mkdirSync(folder.root, { recursive: true })
  const unfinished = `${folder.settings}.unfinished`
  writeFileSync(unfinished, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 })
  renameSync(unfinished, folder.settings)
  return settings
}

function refuseOthers(found: ClusterSettings, wanted: Partial<ClusterSwitches>): void {
  for (const field of ['highAvailability', 'secure', 'flink', 'kafkaVersion'] as const) {
    const asked = wanted[field]
    if (asked === undefined || JSON.stringify(asked) === JSON.stringify(found[field])) continue
    throw new ClusterSettingsError(
      `The cluster "${found.name}" was made with ${field} = ${JSON.stringify(found[field])}, asked for is ${JSON.stringify(asked)}: take it down first, or use another name.`,
      { details: { name: found.name, field } },
    )
  }
}

async function choosePorts(reserved: ReadonlySet<number>): Promise<ClusterPorts> {
  const count = brokerRoles.length * 3 + 1 + 4 + taskManagerRoles.length * 3
  const free = await chooseFreePorts(count, reserved)
  const next = (): number => free.pop() as number
  const each = <R extends string, P>(roles: readonly R[], ports: () => P): Record<R, P> =>
    Object.fromEntries(roles.map((role) => [role, ports()])) as Record<R, P>
  return {
    brokers: each(brokerRoles, () => ({ client: next(), controller: next(), secure: next() })),
    zookeeper: next(),
    jobManager: { rest: next(), rpc: next(), blob: next(), metrics: next() },
    taskManagers: each(taskManagerRoles, () => ({ rpc: next(), data: next(), metrics: next() })),
  }
}

/** Every port of every cluster of the cache (C2). */
function promisedPorts(cacheFolder: string): Set<number> {
  const ports = new Set<number>()
  const collect = (value: unknown): void => {
    if (typeof value === 'number') ports.add(value)
    else if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) collect(inner)
  }
  const folder = clustersFolder(cacheFolder)
  if (!existsSync(folder)) return ports
  for (const name of readdirSync(folder)) {
    const path = join(folder, name, 'cluster.json')
    if (existsSync(path)) collect((JSON.parse(readFileSync(path, 'utf8')) as Partial<ClusterSettings>).ports)
  }
  return ports
}
