import { readdirSync, readFileSync } from 'node:fs'

/** Of the kernel, towards programs: always 100 on Linux. */
const ticksPerSecond = 100

/**
 * Processor time of the threads of a process whose names begin so, as the kernel has them: their first 15 bytes. Those that have ended are
 * not among them. Source: proc(5), `/proc/pid/task/tid/stat`.
 *
 * @returns Seconds, user and system.
 */
export function threadSeconds(pid: number, beginnings: readonly string[]): number {
  const folder = `/proc/${pid}/task`
  let seconds = 0
  for (const thread of readdirSync(folder)) {
    const stat = statOf(`${folder}/${thread}/stat`)
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
    if (!beginnings.some((beginning) => name.startsWith(beginning))) continue
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    seconds += (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  }
  return seconds
}

/** Nothing where the thread ended meanwhile. */
function statOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ESRCH') return ''
    throw error
  }
}
