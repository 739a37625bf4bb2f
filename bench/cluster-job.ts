import { setTimeout as delay } from 'node:timers/promises'
import type { FlinkClient, RunJarOptions } from '@millwright/cluster'
import type { DevelopmentCluster } from '../packages/cluster/src/development/index.ts'
import { threadSeconds } from './thread-seconds.ts'

const pollMs = 250
/** A task manager writes half a megabyte of metrics each time it is asked. */
const momentEveryMs = 1500
const metricsMsMax = 3000
const taskManagers = ['task-manager-1', 'task-manager-2'] as const

/** Threads that answer what the benchmark itself asks for. */
const askedThreads = ['prometheus-http']
/** Threads of the two compilers, of the JVM and of V8. */
const compilerThreads = ['C1 Compiler', 'C2 Compiler', 'V8 DefaultWorke']

/** Processor seconds of both task managers since their start, without what it took to answer the benchmark's own questions. */
interface Used {
  readonly cpuSeconds: number
  /** Of these, the compilers'. */
  readonly compilerSeconds: number
}

/** How far a job had come, and what that had cost. */
interface Moment extends Used {
  readonly readCount: number
}

/** What a run of a job cost. */
export interface JobCost {
  readonly wallSeconds: number
  /** Processor time of both task managers from before the job was submitted until after it had ended, without what the benchmark asked them. */
  readonly cpuSeconds: number
  /**
   * Processor time a record in the second half of the input: without starting, and when both machines have compiled what they run.
   * NaN where the job was too quick to be looked at twice in it.
   */
  readonly warmSecondsPerRecord: number
  /** Of that, the share of the two compilers: what a longer run would pay less and less of. */
  readonly warmCompilerShare: number
  /** Each checkpoint that was seen to end. */
  readonly checkpoints: readonly { readonly stateBytes: number; readonly durationMs: number }[]
  /** Sums of the metrics that were asked for, as they last were. */
  readonly metrics: Readonly<Record<string, number>>
}

/**
 * Runs a bounded job to its end.
 *
 * @param recordCount Records that its sources read.
 * @param watch Vertex whose metrics are asked for, by the beginning of its name, and their names.
 * @throws When the job does not finish.
 */
export async function runJob(
  cluster: DevelopmentCluster,
  flink: FlinkClient,
  jarId: string,
  options: RunJarOptions,
  recordCount: number,
  watch: { readonly vertex: string; readonly metrics: readonly string[] } | null,
): Promise<JobCost> {
  const beganMs = performance.now()
  const before = usedBy(cluster)
  const jobId = await flink.runJar(jarId, options)
  const checkpoints = new Map<number, { stateBytes: number; durationMs: number }>()
  const metrics: Record<string, number> = {}
  const moments: Moment[] = []
  const read = new Map<string, number>()
  let momentMs = Number.NEGATIVE_INFINITY
  for (;;) {
    if (performance.now() - momentMs >= momentEveryMs) {
      momentMs = performance.now()
      await noteRecordsRead(cluster, read)
      const readCount = [...read.values()].reduce((sum, count) => sum + count, 0)
      moments.push({ readCount, ...usedBy(cluster) })
    }
    const job = await flink.job(jobId)
    const { latestCompleted } = await flink.checkpoints(jobId)
    if (latestCompleted !== null) checkpoints.set(latestCompleted.id, latestCompleted)
    if (job.state === 'FINISHED') break
    if (job.state === 'FAILED' || job.state === 'CANCELED') {
      const [first] = await flink.exceptions(jobId, 1)
      throw new Error(`the job ended as ${job.state}: ${first?.trace ?? 'no reason given'}`)
    }
    const vertex = watch === null ? undefined : job.vertices.find(({ name }) => name.startsWith(watch.vertex))
    if (vertex !== undefined && watch !== null && job.state === 'RUNNING')
      for (const [name, { sum }] of Object.entries(await flink.aggregatedMetrics(jobId, vertex.id, watch.metrics)))
        metrics[name] = Math.max(sum, metrics[name] ?? 0)
    await delay(pollMs)
  }
  return {
    wallSeconds: (performance.now() - beganMs) / 1000,
    cpuSeconds: usedBy(cluster).cpuSeconds - before.cpuSeconds,
    ...warmCost(moments, recordCount),
    checkpoints: [...checkpoints.values()],
    metrics,
  }
}

/** What a record costs between the first moment at which half of the records were read and the last at which some were not. */
function warmCost(
  moments: readonly Moment[],
  recordCount: number,
): Pick<JobCost, 'warmSecondsPerRecord' | 'warmCompilerShare'> {
  const within = moments.filter(({ readCount }) => readCount >= recordCount / 2 && readCount < recordCount)
  const [first, last] = [within[0], within.at(-1)]
  if (first === undefined || last === undefined || first.readCount === last.readCount)
    return { warmSecondsPerRecord: Number.NaN, warmCompilerShare: Number.NaN }
  const cpuSeconds = last.cpuSeconds - first.cpuSeconds
  return {
    warmSecondsPerRecord: cpuSeconds / (last.readCount - first.readCount),
    warmCompilerShare: (last.compilerSeconds - first.compilerSeconds) / cpuSeconds,
  }
}

/** Notes what each source of the running job has read so far, by the task managers' own word; one that is done says nothing any more. */
async function noteRecordsRead(cluster: DevelopmentCluster, read: Map<string, number>): Promise<void> {
  const texts = await Promise.all(taskManagers.map(async (role) => textOf(cluster.metricsUrl(role))))
  const values = texts
    .join('\n')
    .matchAll(/^flink_taskmanager_job_task_operator_numRecordsIn(\{[^}]*operator_name="Source:[^}]*\}) (\S+)$/gm)
  for (const [, labels = '', value] of values) read.set(labels, Number(value))
}

/** A connection of its own each time, since the server lets go of kept ones without a word; nothing where it does not answer. */
async function textOf(url: string): Promise<string> {
  try {
    const answer = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(metricsMsMax) })
    return await answer.text()
  } catch (error) {
    if (error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError')) return ''
    throw error
  }
}

function usedBy(cluster: DevelopmentCluster): Used {
  let cpuSeconds = 0
  let compilerSeconds = 0
  for (const role of taskManagers) {
    const [usage, pid] = [cluster.usage(role), cluster.pid(role)]
    if (usage === null || pid === null) throw new Error(`${role} does not run`)
    cpuSeconds += usage.cpuSeconds - threadSeconds(pid, askedThreads)
    compilerSeconds += threadSeconds(pid, compilerThreads)
  }
  return { cpuSeconds, compilerSeconds }
}
