import { setTimeout as delay } from 'node:timers/promises'
import { Answer } from './answer.ts'
import { FlinkSavepointError, FlinkTimeoutError } from './errors.ts'
import { type FlinkConnection, FlinkHttp, type FlinkRequest } from './flink-http.ts'
import type {
  FlinkCheckpoints,
  FlinkException,
  FlinkJob,
  FlinkJobDetail,
  FlinkMetricAggregate,
  FlinkOverview,
  FlinkTaskManager,
  RunJarOptions,
  SavepointOptions,
  SavepointStatus,
} from './flink-types.ts'
import { jarBody } from './jar-body.ts'
import {
  parseAggregates,
  parseCheckpoints,
  parseExceptions,
  parseJob,
  parseJobDetail,
  parseMetrics,
  parseOverview,
  parseSavepointStatus,
  parseTaskManager,
} from './parse-answers.ts'

/** An upload goes through a proxy and to disk: 100 MB over a slow line. */
const uploadMsMax = 10 * 60_000
/** A job's `main` runs inside the call that starts it. */
const runMsMax = 3 * 60_000
const savepointPollMs = 250
/** How long a savepoint may take, unless a call says otherwise. */
const savepointMsMax = 10 * 60_000

/**
 * Flink's REST API. Every method rejects with the errors of ./errors.ts: unreachable, timed out, not allowed, not found,
 * refused (with Flink's root cause), or an answer that is not Flink's.
 *
 * Source: Flink's documentation, "REST API", version v1.
 */
export class FlinkClient {
  readonly #http: FlinkHttp

  /** @throws {ConfigurationError} When the URL cannot be used. */
  constructor(connection: FlinkConnection) {
    this.#http = new FlinkHttp(connection)
  }

  /** Ends kept connections. */
  async close(): Promise<void> {
    this.#http.close()
  }

  async overview(): Promise<FlinkOverview> {
    return parseOverview(await this.#get('/overview'))
  }

  async taskManagers(): Promise<FlinkTaskManager[]> {
    return (await this.#get('/taskmanagers')).field('taskmanagers').list(parseTaskManager)
  }

  /** Settings of the running cluster as its JobManager has them; passwords are masked by Flink. */
  async configuration(): Promise<Record<string, string>> {
    const entries = (await this.#get('/jobmanager/config')).list((entry) => [
      entry.field('key').text(),
      entry.field('value').text(),
    ])
    return Object.fromEntries(entries) as Record<string, string>
  }

  /** Uploads a jar. @returns Its id, under which it can be run and removed. */
  async uploadJar(path: string): Promise<string> {
    const answer = await this.#call({
      method: 'POST',
      path: '/jars/upload',
      body: jarBody(path),
      timeoutMs: uploadMsMax,
    })
    const file = answer.field('filename').text()
    return file.slice(file.lastIndexOf('/') + 1)
  }

  async listJars(): Promise<{ id: string; name: string; uploadedAtMs: number }[]> {
    return (await this.#get('/jars')).field('files').list((file) => ({
      id: file.field('id').text(),
      name: file.field('name').text(),
      uploadedAtMs: file.field('uploaded').number(),
    }))
  }

  /** Removes an uploaded jar. Jobs that run from it are not touched. */
  async removeJar(jarId: string): Promise<void> {
    await this.#call({ method: 'DELETE', path: `/jars/${encodeURIComponent(jarId)}` })
  }

  /** Starts a job. @returns Its id. @throws {FlinkRefusedError} With what the job's `main` threw. */
  async runJar(jarId: string, options: RunJarOptions = {}): Promise<string> {
    const answer = await this.#call({
      method: 'POST',
      path: `/jars/${encodeURIComponent(jarId)}/run`,
      timeoutMs: runMsMax,
      json: {
        ...(options.entryClass === undefined ? {} : { entryClass: options.entryClass }),
        ...(options.args === undefined ? {} : { programArgsList: options.args }),
        ...(options.parallelism === undefined ? {} : { parallelism: options.parallelism }),
        ...(options.savepointPath === undefined ? {} : { savepointPath: options.savepointPath }),
        ...(options.allowNonRestoredState === undefined
          ? {}
          : { allowNonRestoredState: options.allowNonRestoredState }),
        ...(options.configuration === undefined ? {} : { flinkConfiguration: options.configuration }),
      },
    })
    return answer.field('jobid').text()
  }

  /** Every job that this cluster remembers. */
  async listJobs(): Promise<FlinkJob[]> {
    return (await this.#get('/jobs/overview')).field('jobs').list(parseJob)
  }

  async job(jobId: string): Promise<FlinkJobDetail> {
    return parseJobDetail(await this.#get(`/jobs/${jobId}`))
  }

  /** What a job's program says of itself: Flink's "user configuration", which anyone sees who may look at its page. */
  async jobParameters(jobId: string): Promise<Record<string, string>> {
    const answer = await this.#get(`/jobs/${jobId}/config`)
    return answer
      .field('execution-config')
      .field('user-config')
      .entries((value) => value.text())
  }

  async checkpoints(jobId: string): Promise<FlinkCheckpoints> {
    return parseCheckpoints(await this.#get(`/jobs/${jobId}/checkpoints`))
  }

  /** What the job failed with, newest first. @param max At most so many. */
  async exceptions(jobId: string, max = 20): Promise<FlinkException[]> {
    return parseExceptions(await this.#get(`/jobs/${jobId}/exceptions?maxExceptions=${max}`))
  }

  /** Names of the metrics of one subtask, with its operators' names before them. */
  async subtaskMetricNames(jobId: string, vertexId: string, subtask: number): Promise<string[]> {
    const answer = await this.#get(`/jobs/${jobId}/vertices/${vertexId}/subtasks/${subtask}/metrics`)
    return answer.list((metric) => metric.field('id').text())
  }

  /** Values of named metrics of one subtask, as Flink prints them; those it does not have are left out. */
  async subtaskMetrics(
    jobId: string,
    vertexId: string,
    subtask: number,
    names: readonly string[],
  ): Promise<Record<string, string>> {
    return parseMetrics(
      await this.#get(`/jobs/${jobId}/vertices/${vertexId}/subtasks/${subtask}/metrics${queryOf(names)}`),
    )
  }

  /** Named metrics over all subtasks of a vertex; those it does not have, or that are no numbers, are left out. */
  async aggregatedMetrics(
    jobId: string,
    vertexId: string,
    names: readonly string[],
  ): Promise<Record<string, FlinkMetricAggregate>> {
    const query = `${queryOf(names)}&agg=sum,min,max`
    return parseAggregates(await this.#get(`/jobs/${jobId}/vertices/${vertexId}/subtasks/metrics${query}`))
  }

  /** Metrics of the whole job, such as `numRestarts` and `lastCheckpointDuration`. */
  async jobMetrics(jobId: string, names: readonly string[]): Promise<Record<string, string>> {
    return parseMetrics(await this.#get(`/jobs/${jobId}/metrics${queryOf(names)}`))
  }

  /** Event time that each subtask of a vertex has reached, epoch milliseconds; left out where it has none yet. */
  async watermarks(jobId: string, vertexId: string): Promise<Record<string, string>> {
    return parseMetrics(await this.#get(`/jobs/${jobId}/vertices/${vertexId}/watermarks`))
  }

  /** Asks for a savepoint while the job goes on. @returns The id under which its status is asked for. */
  async triggerSavepoint(jobId: string, options: SavepointOptions = {}): Promise<string> {
    const answer = await this.#call({
      method: 'POST',
      path: `/jobs/${jobId}/savepoints`,
      json: {
        'cancel-job': false,
        ...(options.targetDirectory === undefined ? {} : { 'target-directory': options.targetDirectory }),
        ...(options.format === undefined ? {} : { formatType: options.format }),
      },
    })
    return answer.field('request-id').text()
  }

  /** Asks for a savepoint after which the job ends. @param options.drain Whether event time is sent to its end first. */
  async triggerStop(jobId: string, options: SavepointOptions & { drain?: boolean } = {}): Promise<string> {
    const answer = await this.#call({
      method: 'POST',
      path: `/jobs/${jobId}/stop`,
      json: {
        drain: options.drain ?? false,
        ...(options.targetDirectory === undefined ? {} : { targetDirectory: options.targetDirectory }),
        ...(options.format === undefined ? {} : { formatType: options.format }),
      },
    })
    return answer.field('request-id').text()
  }

  async savepointStatus(jobId: string, requestId: string): Promise<SavepointStatus> {
    return parseSavepointStatus(await this.#get(`/jobs/${jobId}/savepoints/${requestId}`))
  }

  /**
   * Waits for a savepoint that was asked for.
   *
   * @returns Where it is.
   * @throws {FlinkSavepointError} When it failed, with Flink's root cause.
   * @throws {FlinkTimeoutError} When it is not done in time; it may still be made.
   */
  async awaitSavepoint(jobId: string, requestId: string, waitMsMax: number = savepointMsMax): Promise<string> {
    for (const deadlineMs = performance.now() + waitMsMax; ; await delay(savepointPollMs)) {
      const status = await this.savepointStatus(jobId, requestId)
      if (status.state === 'completed') return status.location
      if (status.state === 'failed')
        throw new FlinkSavepointError(`The savepoint of job ${jobId} failed: ${status.cause}`, {
          details: { jobId, requestId },
        })
      if (performance.now() > deadlineMs)
        throw new FlinkTimeoutError(`The savepoint of job ${jobId} was not done in ${waitMsMax} ms.`, {
          details: { jobId, requestId, waitMsMax },
        })
    }
  }

  /** Makes a savepoint and waits for it, while the job goes on. @returns Where it is. */
  async savepoint(jobId: string, options: SavepointOptions = {}): Promise<string> {
    return this.awaitSavepoint(jobId, await this.triggerSavepoint(jobId, options))
  }

  /** Ends a job with a savepoint and waits for that. @returns Where it is. */
  async stopWithSavepoint(jobId: string, options: SavepointOptions & { drain?: boolean } = {}): Promise<string> {
    return this.awaitSavepoint(jobId, await this.triggerStop(jobId, options))
  }

  /** Asks a job to end without a savepoint. It has ended when its state says so. */
  async cancel(jobId: string): Promise<void> {
    await this.#call({ method: 'PATCH', path: `/jobs/${jobId}?mode=cancel` })
  }

  /** Removes a savepoint and waits until Flink has. */
  async disposeSavepoint(path: string, waitMsMax: number = savepointMsMax): Promise<void> {
    const answer = await this.#call({ method: 'POST', path: '/savepoint-disposal', json: { 'savepoint-path': path } })
    const requestId = answer.field('request-id').text()
    for (const deadlineMs = performance.now() + waitMsMax; ; await delay(savepointPollMs)) {
      const status = await this.#get(`/savepoint-disposal/${requestId}`)
      if (status.field('status').field('id').text() === 'COMPLETED') {
        const failure = status.field('operation').field('failure-cause')
        if (failure.present)
          throw new FlinkSavepointError(`The savepoint ${path} was not removed: ${failure.field('class').text()}`, {
            details: { path },
          })
        return
      }
      if (performance.now() > deadlineMs)
        throw new FlinkTimeoutError(`The savepoint ${path} was not removed in ${waitMsMax} ms.`, {
          details: { path, waitMsMax },
        })
    }
  }

  /**
   * Gives a running job another parallelism in place. Only the adaptive scheduler can (`jobmanager.scheduler: adaptive`);
   * elsewhere stop with a savepoint and run again.
   *
   * @param parallelism Of each vertex by its id; bounded by its `maxParallelism`.
   * @throws {FlinkRefusedError} When the job's scheduler cannot.
   */
  async rescale(jobId: string, parallelism: Readonly<Record<string, number>>): Promise<void> {
    const json = Object.fromEntries(
      Object.entries(parallelism).map(([vertexId, bound]) => [
        vertexId,
        { parallelism: { lowerBound: 1, upperBound: bound } },
      ]),
    )
    await this.#call({ method: 'PUT', path: `/jobs/${jobId}/resource-requirements`, json })
  }

  #get(path: string): Promise<Answer> {
    return this.#call({ method: 'GET', path })
  }

  async #call(request: FlinkRequest): Promise<Answer> {
    return new Answer(await this.#http.call(request), request.path)
  }
}

function queryOf(names: readonly string[]): string {
  return `?get=${names.map(encodeURIComponent).join(',')}`
}
