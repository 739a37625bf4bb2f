import { closeSync, fdatasyncSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { percentile } from './measure.ts'

/** Folder for everything that a benchmark writes. `MILLWRIGHT_BENCH_SCRATCH` puts it on another disk. */
export const benchScratch = resolve(process.env['MILLWRIGHT_BENCH_SCRATCH'] ?? join(tmpdir(), 'millwright-bench'))
mkdirSync(benchScratch, { recursive: true })

/** One line about the machine, with what else it does: figures of a busy machine are only good as ratios. */
export function machineText(): string {
  const processors = cpus()
  const load = loadavg()
    .map((value) => value.toFixed(1))
    .join(', ')
  return (
    `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}, ${(totalmem() / 1e9).toFixed(0)} GB, ` +
    `Linux ${release()}, Node ${process.versions.node}, load ${load}`
  )
}

/** Type of the file system that holds a path, for example `ext4`. Source: proc(5), /proc/mounts. */
export function fileSystemOf(path: string): string {
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
  const holding = mounts
    .filter(([, point = '']) => path === point || path.startsWith(point.endsWith('/') ? point : `${point}/`))
    .sort(([, a = ''], [, b = '']) => b.length - a.length)
  return holding[0]?.[2] ?? 'unknown'
}

/** Whether a sync to that file system reaches a disk. */
export function isDurable(fileSystem: string): boolean {
  return !['tmpfs', 'ramfs', 'overlay', 'unknown'].includes(fileSystem)
}

/** How long the disk itself takes to make 64 KiB durable, milliseconds: what no program can be faster than. */
export function diskSyncMs(
  folder: string,
  count = 300,
): { readonly p50: number; readonly p99: number; readonly max: number } {
  const path = join(folder, 'sync-probe')
  const descriptor = openSync(path, 'w')
  const block = Buffer.alloc(64 * 1024, 'x')
  const times: number[] = []
  try {
    for (let index = 0; index < count; index++) {
      writeSync(descriptor, block)
      const beganMs = performance.now()
      fdatasyncSync(descriptor)
      times.push(performance.now() - beganMs)
    }
  } finally {
    closeSync(descriptor)
    unlinkSync(path)
  }
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99), max: Math.max(...times) }
}
