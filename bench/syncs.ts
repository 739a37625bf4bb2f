import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Counts what a process asks of its disk. */
export interface SyncCount {
  /** Ends counting. @returns fsync and fdatasync calls of all threads; `null` where they could not be counted. */
  stop(): Promise<number | null>
}

const events = ['syscalls:sys_enter_fdatasync', 'syscalls:sys_enter_fsync']

/**
 * Counts the syncs of a running process from outside, so that the figure is the kernel's and not the program's own:
 * by `perf stat` (costs nothing that could be seen), else by `strace -c` (each sync costs some microseconds more).
 */
export async function countSyncs(pid: number): Promise<SyncCount> {
  if (spawnSync('perf', ['stat', '-e', events.join(','), 'true']).status === 0) {
    const perf = spawn('perf', ['stat', '-x', ',', '-e', events.join(','), '-p', String(pid)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    return counting(perf, (line) => {
      const [count, , event] = line.split(',')
      return event?.startsWith('syscalls:') === true && count !== undefined ? Number(count) : 0
    })
  }
  if (spawnSync('strace', ['-V']).status === 0) {
    const strace = spawn('strace', ['-c', '-f', '-e', 'trace=fsync,fdatasync', '-p', String(pid)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    return counting(strace, (line) => {
      const fields = line.trim().split(/\s+/)
      return /^f(data)?sync$/.test(fields.at(-1) ?? '') ? Number(fields[3]) : 0
    })
  }
  return { stop: () => Promise.resolve(null) }
}

async function counting(tool: ChildProcess, countOfLine: (line: string) => number): Promise<SyncCount> {
  let total = 0
  if (tool.stderr === null) return { stop: () => Promise.resolve(null) }
  createInterface({ input: tool.stderr }).on('line', (line) => {
    const count = countOfLine(line)
    if (Number.isFinite(count)) total += count
  })
  await once(tool, 'spawn')
  return {
    async stop() {
      // 'close' and not 'exit': the counts are the last lines it says.
      const closed = once(tool, 'close')
      tool.kill('SIGINT')
      await closed
      return total
    },
  }
}
