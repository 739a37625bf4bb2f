import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ClusterFolder } from './cluster-folder.ts'
import { ClusterStartError, ClusterStopError } from './errors.ts'
import { isRunning, type ProcessIdentity, parseStat, signalProcess } from './process-identity.ts'
import type { ProcessRole } from './roles.ts'

/**
 * A process of a cluster, started so that it outlives us, and found again.
 *
 * M1. Its identity is on disk before its program runs: a shell writes what the kernel says of it and then becomes the
 *     program. So no process is lost, whenever `up` dies.
 * M2. A role has at most one process: it is started under the cluster's lock, after the recorded one was found dead.
 */

/** How to start one process. */
export interface ProcessCommand {
  readonly role: ProcessRole
  readonly program: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

/** From starting the shell to its record. It does nothing else. */
const recordWaitMsMax = 10_000
const pollMs = 20

// The record is made under another name first, so that nobody reads half of it.
const recordAndBecome =
  'cat /proc/sys/kernel/random/boot_id /proc/$$/stat > "$0.unfinished" && mv "$0.unfinished" "$0" && exec "$@"'

/** The process that has the role, running or not; `null` when there was none. */
export function recordedProcess(folder: ClusterFolder, role: ProcessRole): ProcessIdentity | null {
  const path = folder.record(role)
  if (!existsSync(path)) return null
  const [bootId, statText] = readFileSync(path, 'utf8').split('\n')
  const stat = parseStat(statText ?? '')
  return bootId === undefined || stat === null ? null : { pid: stat.pid, startTicks: stat.startTicks, bootId }
}

/** The process that has the role and runs; `null` when there is none. */
export function runningProcess(folder: ClusterFolder, role: ProcessRole): ProcessIdentity | null {
  const identity = recordedProcess(folder, role)
  return identity !== null && isRunning(identity) ? identity : null
}

/**
 * Starts a process in a session of its own and waits for its record (M1). Standard output and error go to the role's `.out`.
 *
 * @throws {ClusterStartError} When it cannot be started.
 */
export async function startProcess(folder: ClusterFolder, command: ProcessCommand): Promise<ProcessIdentity> {
  const { role } = command
  const record = folder.record(role)
  rmSync(record, { force: true })
  rmSync(folder.temporary(role), { recursive: true, force: true })
  for (const path of [dirname(record), folder.logs, folder.temporary(role)]) mkdirSync(path, { recursive: true })
  const output = openSync(folder.output(role), 'a')
  let failed: string | null = null
  try {
    const child = spawn('/bin/sh', ['-c', recordAndBecome, record, command.program, ...command.args], {
      detached: true,
      stdio: ['ignore', output, output],
      cwd: folder.root,
      env: { ...inheritedEnvironment(), ...command.environment },
    })
    child.once('error', (error) => {
      failed = error.message
    })
    child.once('exit', (code, signal) => {
      failed ??= `it ended with ${code ?? signal}`
    })
    child.unref()
  } finally {
    closeSync(output)
  }
  for (const deadlineMs = performance.now() + recordWaitMsMax; ; await delay(pollMs)) {
    const identity = recordedProcess(folder, role)
    if (identity !== null) return identity
    if (failed !== null || performance.now() > deadlineMs)
      throw new ClusterStartError(
        `Cannot start ${role}: ${failed ?? 'it was not recorded'}.\n${lastLines(folder, role)}`,
        {
          details: { role },
        },
      )
  }
}

/**
 * Ends a process: SIGTERM, and SIGKILL when it has not ended after `graceMs`. One that does not run is no error.
 *
 * @throws {ClusterStopError} When it survives that too.
 */
export async function stopProcess(
  folder: ClusterFolder,
  role: ProcessRole,
  options: { graceMs: number },
): Promise<'was not running' | 'ended' | 'was killed'> {
  const identity = recordedProcess(folder, role)
  if (identity === null || !signalProcess(identity, 'SIGTERM')) return 'was not running'
  if (await hasEnded(identity, options.graceMs)) return 'ended'
  await killProcess(folder, role)
  return 'was killed'
}

/** A killed process is gone as soon as the kernel has freed its memory. */
const killWaitMsMax = 30_000

/**
 * Kills a process at once, as `kill -9`, and returns when it is gone.
 *
 * @returns Whether it was running.
 * @throws {ClusterStopError} When it is still there half a minute later.
 */
export async function killProcess(folder: ClusterFolder, role: ProcessRole): Promise<boolean> {
  const identity = recordedProcess(folder, role)
  if (identity === null || !signalProcess(identity, 'SIGKILL')) return false
  if (await hasEnded(identity, killWaitMsMax)) return true
  throw new ClusterStopError(`The process ${identity.pid} of ${role} does not end, though it was killed.`, {
    details: { role, pid: identity.pid },
  })
}

async function hasEnded(identity: ProcessIdentity, waitMsMax: number): Promise<boolean> {
  for (const deadlineMs = performance.now() + waitMsMax; performance.now() < deadlineMs; await delay(pollMs))
    if (!isRunning(identity)) return true
  return !isRunning(identity)
}

/** Since when the record of a role is there: the moment its process was started. */
export function startedAt(folder: ClusterFolder, role: ProcessRole): Date {
  return statSync(folder.record(role)).mtime
}

const toldLinesMax = 15
const toldBytesMax = 16_384

/** The last lines that a process wrote, of its log and of its output, for a message. */
export function lastLines(folder: ClusterFolder, role: ProcessRole): string {
  return [folder.log(role), folder.output(role)]
    .filter((path) => existsSync(path) && statSync(path).size > 0)
    .map((path) => {
      const text = readFileSync(path, 'utf8').slice(-toldBytesMax).trimEnd()
      return `${path}:\n${text.split('\n').slice(-toldLinesMax).join('\n')}`
    })
    .join('\n')
}

/** What the processes get of our environment: not its secrets, and nothing that changes how a JVM runs. */
function inheritedEnvironment(): Record<string, string> {
  const inherited: Record<string, string> = {}
  for (const name of ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ']) {
    const value = process.env[name]
    if (value !== undefined) inherited[name] = value
  }
  return inherited
}
