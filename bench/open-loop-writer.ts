import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { partitionOf } from '@millwright/core'
import { ensureArtifacts } from '../packages/cluster/src/development/artifact-cache.ts'
import { kafkaArtifacts, kafkaVersion } from '../packages/cluster/src/development/artifacts.ts'
import { type DevelopmentCluster, defaultCacheFolder } from '../packages/cluster/src/development/index.ts'
import { silentProgress } from '../packages/cluster/src/development/progress.ts'
import { findToolchain } from '../packages/cluster/src/development/toolchain.ts'
import { endOf } from './cluster-topics.ts'
import { benchScratch } from './machine.ts'
import { readingTemplate } from './made-readings.ts'

/** Readings on a schedule: the devices in turn, `perInterval` of them due together. */
export interface Schedule {
  readonly deviceCount: number
  readonly readingCount: number
  readonly perInterval: number
  readonly intervalMs: number
  /** Event time between two readings of a device. */
  readonly stepMs: number
}

/** A writer that is connected and waits to be told when to begin. */
export interface OpenLoopWriter {
  /**
   * Writes all readings, each when it is due, to the end. @returns How late each interval was begun, milliseconds.
   *
   * @param beganMs When the first interval is due, epoch milliseconds.
   */
  write(beganMs: number): Promise<number[]>
}

/**
 * Starts `bench/java/OpenLoopWriter.java` on Kafka's own client: written from JavaScript, record by record, readings cost more processor
 * time than the job that is measured, and above some ten thousand a second the schedule was not held.
 */
export async function openLoopWriter(cluster: DevelopmentCluster, schedule: Schedule): Promise<OpenLoopWriter> {
  const jars = await ensureArtifacts(defaultCacheFolder(), kafkaArtifacts(kafkaVersion), silentProgress)
  const { deviceCount, readingCount, perInterval, intervalMs, stepMs } = schedule
  const partitionCount = (await endOf(cluster.kafka, 'sensor-data')).length
  const lines = Array.from({ length: deviceCount }, (_, device) => {
    const { deviceId, firstMs, line } = readingTemplate(device, deviceCount)
    return `${partitionOf(deviceId, partitionCount)}\t${firstMs}\t${deviceId}\t${line}\n`
  })
  const path = join(benchScratch, 'open-loop-lines.tsv')
  writeFileSync(path, lines.join(''))
  const child = spawn(
    findToolchain().java,
    [
      ...['-Xmx384m', '-XX:+UseSerialGC', '-cp', `${jars}/*`, join(import.meta.dirname, 'java/OpenLoopWriter.java')],
      ...[cluster.bootstrapServers.join(','), 'sensor-data', path],
      ...[readingCount, perInterval, intervalMs, stepMs].map(String),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const first = await said.next()
  if (first.value !== 'ready') throw new Error(`the writer did not come to write: it ended with ${await ended}`)
  return {
    write: async (beganMs) => {
      child.stdin.end(`${Math.round(beganMs)}\n`)
      const lateMs: number[] = []
      for (let line = await said.next(); line.done !== true; line = await said.next()) lateMs.push(Number(line.value))
      const code = await ended
      if (code !== 0) throw new Error(`the writer ended with ${code}`)
      return lateMs
    },
  }
}
