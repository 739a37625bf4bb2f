import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What one command cost, with all the processes it waited for. */
export interface Cost {
  readonly wallSeconds: number
  /** User and system time. */
  readonly cpuSeconds: number
  /** Largest resident memory of one of its processes, bytes: the kernel's high-water mark, looked at every 20 ms. */
  readonly peakRssBytes: number
  readonly stdout: string
}

/**
 * Runs a command to its end and says what it cost. Needs Bash and Linux's /proc.
 *
 * @throws When the command fails; its stderr is in the message.
 */
export async function measureCommand(
  command: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Cost> {
  const scratch = mkdtempSync(join(tmpdir(), 'millwright-bench-'))
  const timePath = join(scratch, 'time')
  // Bash's own accounting covers all that the command waited for; Node offers none for its children.
  const child = spawn(
    'bash',
    ['-c', 'TIMEFORMAT="%R %U %S"; { time "$@" 2>&3 3>&-; } 3>&2 2>"$0"', timePath, ...command],
    { cwd: options.cwd, env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  let peakRssBytes = 0
  const sampler = setInterval(() => {
    peakRssBytes = Math.max(peakRssBytes, peakRssOfTree(child.pid ?? 0))
  }, 20)
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  clearInterval(sampler)
  const times = readFileSync(timePath, 'utf8').trim().split('\n').at(-1)?.split(' ').map(Number) ?? []
  rmSync(scratch, { recursive: true, force: true })
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${stderr.slice(-2000)}`)
  return { wallSeconds: times[0] ?? Number.NaN, cpuSeconds: (times[1] ?? 0) + (times[2] ?? 0), peakRssBytes, stdout }
}

/** Largest high-water mark (VmHWM) among a process and its descendants, bytes; 0 when they are gone. */
export function peakRssOfTree(pid: number): number {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    const own = statusBytes(pid, 'VmHWM')
    return Math.max(
      own,
      ...children
        .split(' ')
        .filter(Boolean)
        .map((child) => peakRssOfTree(Number(child))),
    )
  } catch (error) {
    if (error instanceof Error && 'code' in error) return 0
    throw error
  }
}

/** A field of /proc/PID/status in bytes, for example `VmRSS`. @throws When the process is gone. */
export function statusBytes(pid: number, field: 'VmHWM' | 'VmRSS'): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${field}:`))
  return Number(line?.replace(/\D/g, '') ?? 0) * 1024
}

/** User and system seconds that a running process has used so far. Source: proc(5), /proc/pid/stat fields 14 and 15. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  const ticksPerSecond = 100
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** The p-quantile (0..1) of values, nearest rank; NaN of none. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN
}

/** Prints rows as a Markdown table. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n')
}
