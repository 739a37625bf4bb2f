import type { DevelopmentCluster, TaskManagerRole } from '../../../packages/cluster/src/development/index.ts'
import { taskManagerRoles } from '../../../packages/cluster/src/development/roles.ts'
import { taskManagerId } from '../../../packages/cluster/src/development/views.ts'
import { type FlinkCheckpoints, FlinkClient } from '../../../packages/cluster/src/index.ts'
import { eventually, pause } from '../support/proof.ts'

/** Between two questions to Flink, which shares two cores with what it runs. */
const pollMs = 400

/** Watches one job over the deaths of its JobManagers. Times are the machine's clock, which Flink's own are too. */
export class JobWatch {
  readonly jobId: string
  readonly #cluster: DevelopmentCluster
  readonly #flink: FlinkClient

  constructor(cluster: DevelopmentCluster, jobId: string) {
    this.#cluster = cluster
    this.jobId = jobId
    this.#flink = new FlinkClient({ url: cluster.flinkUrl })
  }

  async close(): Promise<void> {
    await this.#flink.close()
  }

  /** Waits for a checkpoint that was begun after a moment: the job is whole, and has committed what came before. */
  async checkpointBegunAfter(atMs: number, secondsMax: number): Promise<FlinkCheckpoints> {
    return eventually('a checkpoint', secondsMax, async () => {
      const checkpoints = await this.#checkpoints()
      if (checkpoints?.latestCompleted != null && checkpoints.latestCompleted.triggeredAtMs > atMs) return checkpoints
      await pause(pollMs)
      return null
    })
  }

  /** Whether the job went back to a checkpoint after a moment. */
  async wasRestoredAfter(atMs: number): Promise<boolean> {
    return ((await this.#checkpoints())?.latestRestored?.restoredAtMs ?? 0) > atMs
  }

  /** Id of the newest checkpoint that is complete; 0 before the first. */
  async checkpointId(): Promise<number> {
    return (await this.#checkpoints())?.latestCompleted?.id ?? 0
  }

  /** Which task manager runs each subtask that writes outputs. */
  async hosts(): Promise<TaskManagerRole[]> {
    return eventually('all subtasks have their place', 120, async () => {
      const vertex = (await this.#flink.job(this.jobId).catch(() => null))?.vertices.find(({ name }) =>
        name.includes('guest'),
      )
      const answer = await fetch(`${this.#cluster.flinkUrl}/jobs/${this.jobId}/vertices/${vertex?.id}`).catch(
        () => null,
      )
      if (vertex === undefined || !answer?.ok) return null
      const { subtasks } = (await answer.json()) as { subtasks: { status: string; 'taskmanager-id': string }[] }
      const ids = new Map(taskManagerRoles.map((role) => [taskManagerId(this.#cluster.folder, role), role]))
      const hosts = subtasks.flatMap((subtask) => ids.get(subtask['taskmanager-id']) ?? [])
      const allRun = subtasks.every(({ status }) => status === 'RUNNING')
      return allRun && hosts.length === vertex.parallelism ? hosts : null
    })
  }

  #checkpoints(): Promise<FlinkCheckpoints | null> {
    // No leader answers for a moment after a JobManager was killed.
    return this.#flink.checkpoints(this.jobId).catch(() => null)
  }
}
