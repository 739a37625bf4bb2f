import { readFileSync } from 'node:fs'

/**
 * Who a process is. A pid alone names whoever has it now; with the time it started, and the boot it started in, it names
 * one process for good.
 *
 * P1. A process is signalled only after its identity was found to be the recorded one.
 */

/** One process of this machine, for good. */
export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks from boot to its start, as the kernel counts them. Does not change when it executes another program. */
  readonly startTicks: number
  /** The kernel's random id of this boot. */
  readonly bootId: string
}

/** Clock ticks of a second in what /proc tells: USER_HZ, which is 100 on every platform of ours. Source: proc(5), time(7). */
const ticksPerSecond = 100

/** What /proc/PID/stat says, as far as it is used here; `null` when the text is not that. Source: proc_pid_stat(5). */
export function parseStat(text: string): { pid: number; state: string; startTicks: number } | null {
  // The name of the program stands in parentheses and may hold anything, parentheses included.
  const end = text.lastIndexOf(')')
  const pid = Number.parseInt(text, 10)
  const fields = text.slice(end + 2).split(' ')
  const state = fields[0]
  const startTicks = Number(fields[19])
  if (end < 0 || !Number.isSafeInteger(pid) || state === undefined || !Number.isSafeInteger(startTicks)) return null
  return { pid, state, startTicks }
}

/** The id of this boot. */
export function currentBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

/** Whether the process of that identity runs. One that has ended and is only not yet waited for does not. */
export function isRunning(identity: ProcessIdentity): boolean {
  if (identity.bootId !== currentBootId()) return false
  const stat = readStat(identity.pid)
  return stat !== null && stat.startTicks === identity.startTicks && stat.state !== 'Z' && stat.state !== 'X'
}

/** What a running process takes and since when it is up. */
export interface ProcessUsage {
  readonly residentBytes: number
  /** Processor time of all its threads since its start. */
  readonly cpuSeconds: number
  readonly upSeconds: number
}

/** Looks at a process; `null` when it does not run. */
export function usageOf(identity: ProcessIdentity): ProcessUsage | null {
  if (!isRunning(identity)) return null
  try {
    const status = readFileSync(`/proc/${identity.pid}/status`, 'utf8')
    const stat = readFileSync(`/proc/${identity.pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const uptimeSeconds = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])
    return {
      residentBytes: Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024,
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
      upSeconds: Math.max(0, uptimeSeconds - identity.startTicks / ticksPerSecond),
    }
  } catch (error) {
    // It ended between two looks.
    if (isGone(error)) return null
    throw error
  }
}

/** The words that a running process was started with; none when it does not run. */
export function commandLineOf(identity: ProcessIdentity): string[] {
  if (!isRunning(identity)) return []
  try {
    return readFileSync(`/proc/${identity.pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
  } catch (error) {
    if (isGone(error)) return []
    throw error
  }
}

/**
 * Sends a signal to exactly that process (P1).
 *
 * @returns Whether it was running.
 */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isRunning(identity)) return false
  try {
    process.kill(identity.pid, signal)
    return true
  } catch (error) {
    if (isGone(error)) return false
    throw error
  }
}

function readStat(pid: number): ReturnType<typeof parseStat> {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch (error) {
    if (isGone(error)) return null
    throw error
  }
}

function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ESRCH'
}
