import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Answer } from './answer.ts'
import { FlinkAnswerError } from './errors.ts'
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

/** What a real Flink 2.2.1 answered, shortened where nobody reads. */
const answers = JSON.parse(readFileSync(join(import.meta.dirname, 'testing', 'answers-2.2.1.json'), 'utf8')) as Record<
  string,
  unknown
>
const answer = (name: string): Answer => new Answer(answers[name], name)

test('parseOverview() counts task managers, slots and jobs', () => {
  expect(parseOverview(answer('overview'))).toEqual({
    version: '2.2.1',
    taskManagerCount: 2,
    slotCount: 6,
    freeSlotCount: 4,
    runningJobCount: 1,
  })
})

test('parseTaskManager() reads each by its id', () => {
  const taskManagers = answer('taskmanagers').field('taskmanagers').list(parseTaskManager)
  expect(taskManagers.map(({ slotCount }) => slotCount)).toEqual([3, 3])
  expect(new Set(taskManagers.map(({ id }) => id)).size).toBe(2)
})

test('parseJob() gives a running job no end, and a cancelled one its end', () => {
  const [running] = answer('jobs').field('jobs').list(parseJob)
  expect(running).toMatchObject({ name: 'count-capture.alert-signals', state: 'RUNNING', endedAtMs: null })
  const cancelled = parseJobDetail(answer('job cancelled'))
  expect(cancelled.state).toBe('CANCELED')
  expect(cancelled.endedAtMs).toBeGreaterThan(cancelled.startedAtMs)
})

test('parseJobDetail() lists the vertices with their subtasks by state', () => {
  const { vertices } = parseJobDetail(answer('job'))
  expect(vertices.map(({ name, parallelism, subtasks }) => [name, parallelism, subtasks['RUNNING']])).toEqual([
    ['Source: source', 2, 2],
    ['count -> sink: Writer -> sink: Committer', 2, 2],
  ])
})

test('parseCheckpoints() tells completed, failed, savepoint and what was restored', () => {
  const checkpoints = parseCheckpoints(answer('checkpoints'))
  expect(checkpoints.completedCount).toBeGreaterThan(0)
  expect(checkpoints.restoredCount).toBeGreaterThan(0)
  expect(checkpoints.latestCompleted?.kind).toBe('checkpoint')
  expect(checkpoints.latestCompleted?.path).toContain('/chk-')
  expect(checkpoints.latestSavepoint).toMatchObject({ kind: 'savepoint' })
  expect(checkpoints.latestFailed?.reason).not.toBe('')
  expect(checkpoints.latestRestored?.path).not.toBe('')
})

test('parseExceptions() gives each its cause in one line and its task', () => {
  const exceptions = parseExceptions(answer('exceptions'))
  expect(exceptions).toHaveLength(2)
  for (const { cause, trace } of exceptions) {
    expect(cause).not.toContain('\n')
    expect(trace.length).toBeGreaterThan(cause.length)
  }
  expect(exceptions[0]?.task).toMatch(/^Source: source \(\d\/2\)/)
})

test('parseAggregates() and parseMetrics() read numbers and texts by name, and leave out what is not there', () => {
  const aggregates = parseAggregates(answer('aggregates'))
  expect(aggregates['numRecordsOut']?.sum).toBe(
    (aggregates['numRecordsOut']?.min ?? 0) + (aggregates['numRecordsOut']?.max ?? 0),
  )
  expect(Number(parseMetrics(answer('metrics'))['Source__source.numRecordsIn'])).toBeGreaterThan(0)
  expect(parseMetrics(answer('watermarks'))).toEqual({})
})

test('parseSavepointStatus() tells where it is, why it failed, or that it is under way', () => {
  expect(parseSavepointStatus(answer('savepoint completed'))).toMatchObject({ state: 'completed' })
  const failed = parseSavepointStatus(answer('savepoint failed'))
  expect(failed).toMatchObject({
    state: 'failed',
    cause: expect.stringContaining('UnsupportedFileSystemSchemeException: Hadoop is not in the classpath') as string,
  })
  expect(parseSavepointStatus(new Answer({ status: { id: 'IN_PROGRESS' } }, 'x'))).toEqual({ state: 'in progress' })
})

test('Answer names the place of a field that is not as it should be', () => {
  const place = (read: () => unknown): unknown => {
    try {
      read()
    } catch (error) {
      return error instanceof FlinkAnswerError ? error.details['place'] : error
    }
    return 'nothing was thrown'
  }
  expect(place(() => parseOverview(new Answer({ 'flink-version': 2 }, '/overview')))).toBe('/overview.flink-version')
  expect(place(() => parseOverview(new Answer(null, '/overview')))).toBe('/overview')
  expect(place(() => parseJobDetail(new Answer({ ...(answers['job'] as object), vertices: [{}] }, '/jobs/x')))).toBe(
    '/jobs/x.vertices[0].id',
  )
})
