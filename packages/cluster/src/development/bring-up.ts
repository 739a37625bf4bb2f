import { mkdirSync } from 'node:fs'
import { type ClusterFolder, clusterFolder, portsLock } from './cluster-folder.ts'
import {
  type ClusterSettings,
  type ClusterSwitches,
  checkClusterName,
  ensureSettings,
  readSettings,
} from './cluster-settings.ts'
import { ClusterStartError } from './errors.ts'
import { withFileLock } from './file-lock.ts'
import { runningProcess, startProcess } from './managed-process.ts'
import { isPortFree } from './ports.ts'
import { type Preparation, prepare } from './preparation.ts'
import type { ProgressReport } from './progress.ts'
import { askZookeeper, isListening, waitUntilReady } from './readiness.ts'
import {
  brokerCount,
  brokerRoles,
  type ProcessRole,
  rolesOf,
  slotsPerTaskManager,
  taskManagerCount,
  taskManagerRoles,
} from './roles.ts'
import { findToolchain } from './toolchain.ts'
import { askKafka, askTaskManagers, taskManagerId } from './views.ts'

/**
 * Brings a cluster up, or back to its full number.
 *
 * U1. What runs is left alone: a second `up` starts nothing.
 * U2. What is dead is started again with the same ports and data.
 * U3. One `up` or `down` of a cluster is at work at a time.
 */

/** Another `up` of the same cluster may be fetching. */
const lockWaitMsMax = 30 * 60_000
/** On two idle cores all is ready in half a minute; with ten times their load beside it was two minutes. */
const readyMsMax = 6 * 60_000

export interface UpOptions {
  readonly cacheFolder: string
  readonly name: string
  readonly progress: ProgressReport
  /** Those that are left out are as they were, or the defaults of a new cluster. */
  readonly switches?: Partial<ClusterSwitches>
}

export interface UpResult {
  readonly folder: ClusterFolder
  readonly settings: ClusterSettings
  /** Those that were not running. */
  readonly started: readonly ProcessRole[]
}

/**
 * Starts what does not run of the cluster `name` and waits until it is ready (U1–U3).
 *
 * @throws {ConfigurationError | ToolMissingError | ArtifactError | ClusterSettingsError | ClusterStartError | ClusterBusyError}
 */
export async function bringUp(options: UpOptions): Promise<UpResult> {
  const { cacheFolder, name, progress } = options
  checkClusterName(name)
  const folder = clusterFolder(cacheFolder, name)
  const onWait = (): void => progress.step('Another process works on this cluster; waiting for it')
  return withFileLock(folder.lock, { waitMsMax: lockWaitMsMax, onWait }, async () => {
    // A machine that cannot run a cluster is left without a trace of one.
    if (readSettings(folder) === null) findToolchain()
    // Beside the cluster's own lock, since ports are chosen so that no other cluster has them.
    const settings = await withFileLock(portsLock(cacheFolder), { waitMsMax: lockWaitMsMax }, () =>
      ensureSettings(cacheFolder, folder, name, options.switches ?? {}),
    )
    const dead = rolesOf(settings).filter((role) => runningProcess(folder, role) === null)
    if (dead.length > 0) {
      await refuseTakenPorts(settings, dead)
      await startAll(folder, dead, await prepare(cacheFolder, folder, settings, progress), progress)
    }
    await awaitReady(folder, settings, progress)
    return { folder, settings, started: dead }
  })
}

/**
 * Starts the dead ones among `roles` of a cluster that was brought up, and does not wait until they are ready (U1–U3).
 *
 * @returns Those that had to be started.
 */
export async function startRoles(
  folder: ClusterFolder,
  roles: readonly ProcessRole[],
  preparation: Preparation,
  progress: ProgressReport,
): Promise<ProcessRole[]> {
  return withFileLock(folder.lock, { waitMsMax: lockWaitMsMax }, async () => {
    const dead = roles.filter((role) => runningProcess(folder, role) === null)
    if (dead.length > 0) await startAll(folder, dead, preparation, progress)
    return dead
  })
}

async function startAll(
  folder: ClusterFolder,
  roles: readonly ProcessRole[],
  preparation: Preparation,
  progress: ProgressReport,
): Promise<void> {
  progress.step(`Starting ${roles.join(', ')}`)
  for (const role of roles) {
    if (role === 'zookeeper') mkdirSync(folder.data(role), { recursive: true })
    await startProcess(folder, preparation.commandOf(role))
  }
}

/**
 * Waits until every process does its part: brokers in the quorum, task managers with their slots.
 *
 * @throws {ClusterStartError} With the last lines of the process that ended.
 */
export async function awaitReady(
  folder: ClusterFolder,
  settings: ClusterSettings,
  progress: ProgressReport,
): Promise<void> {
  const onWait = (missing: string, waitedMs: number): void =>
    progress.update(`Waiting for ${missing}, ${Math.round(waitedMs / 1000)} s`, waitedMs, 0)
  const wait = { waitMsMax: readyMsMax, onWait }
  if (settings.highAvailability)
    await waitUntilReady(folder, { ...wait, what: 'ZooKeeper', roles: ['zookeeper'] }, async () =>
      (await askZookeeper(settings.ports.zookeeper, 'srvr')).includes('Mode:') ? null : 'does not serve yet',
    )
  await waitUntilReady(folder, { ...wait, what: 'Kafka', roles: brokerRoles }, () => missingBrokers(settings))
  const roles: ProcessRole[] = ['job-manager', ...taskManagerRoles]
  await waitUntilReady(folder, { ...wait, what: 'Flink', roles }, () => missingTaskManagers(folder, settings))
}

/** A dead broker is in Kafka's own view for seconds, so each one's port is asked too: it opens when the broker has caught up. */
async function missingBrokers(settings: ClusterSettings): Promise<string | null> {
  const listening = await Promise.all(brokerRoles.map((role) => isListening(settings.ports.brokers[role].client)))
  const listeningCount = listening.filter((listens) => listens).length
  const { brokers, votersInTouch } =
    listeningCount === 0 ? { brokers: [], votersInTouch: [] } : await askKafka(settings)
  const ready = Math.min(listeningCount, brokers.length, votersInTouch.length)
  return ready === brokerCount ? null : `${ready} of ${brokerCount} brokers`
}

/** Flink has task managers in its view that are dead: those that run are looked for by the names that they were given. */
async function missingTaskManagers(folder: ClusterFolder, settings: ClusterSettings): Promise<string | null> {
  const known = await askTaskManagers(folder, settings)
  const ready = taskManagerRoles.filter((role) => {
    const id = taskManagerId(folder, role)
    return known.some((taskManager) => taskManager.id === id && taskManager.slotCount === slotsPerTaskManager)
  })
  return ready.length === taskManagerCount ? null : `${ready.length} of ${taskManagerCount} task managers`
}

async function refuseTakenPorts(settings: ClusterSettings, roles: readonly ProcessRole[]): Promise<void> {
  for (const role of roles)
    for (const port of portsOf(settings, role))
      if (!(await isPortFree(port)))
        throw new ClusterStartError(
          `Port ${port} of ${role} is taken by a process that is not of this cluster. End that, or take the cluster down and up again, which chooses other ports.`,
          { details: { role, port } },
        )
}

/** Ports that a role listens on. */
export function portsOf(settings: ClusterSettings, role: ProcessRole): number[] {
  const { ports } = settings
  if (role === 'zookeeper') return [ports.zookeeper]
  if (role === 'job-manager') return Object.values(ports.jobManager)
  if (role === 'task-manager-1' || role === 'task-manager-2') return Object.values(ports.taskManagers[role])
  const { client, controller, secure } = ports.brokers[role]
  return settings.secure ? [client, controller, secure] : [client, controller]
}
