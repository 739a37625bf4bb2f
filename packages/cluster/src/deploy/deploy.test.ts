import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ConfigurationError, type Plan } from '@millwright/core'
import { afterEach, expect, test } from 'vitest'
import { FlinkClient } from '../flink/flink-client.ts'
import { type Deployment, deploy, startJob } from './deploy.ts'

// Method: a server that answers as Flink does, by path. What is not refused comes as far as the step of bundling, and is ended there.

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

const jobId = 'dfee175d4e1c80541b5287eb87880490'
const endedJob = { jid: jobId, name: 'press-shop', state: 'CANCELED', 'start-time': 1, 'end-time': 2 }
const wentOn = new Error('it was not refused')

function checkpoint(id: number, kind: 'savepoint' | 'checkpoint', path: string, discarded = false): unknown {
  return {
    id,
    is_savepoint: kind === 'savepoint',
    ...{ trigger_timestamp: 1, end_to_end_duration: 1, state_size: 1, checkpointed_size: 1 },
    ...{ external_path: path, discarded },
  }
}

/** Answers of a Flink that knows no job. */
const nothingKnown: Readonly<Record<string, unknown>> = {
  '/jobs/overview': { jobs: [] },
  '/jobmanager/config': [
    { key: 'execution.checkpointing.dir', value: 'file:/c' },
    { key: 'execution.checkpointing.savepoint-dir', value: 'file:/s' },
  ],
}

/** Answers of a Flink that remembers a job of the plan, and what it has of its state. */
function remembering(latest: Record<string, unknown>): Record<string, unknown> {
  const counts = { restored: 0, total: 9, in_progress: 0, completed: 9, failed: 0 }
  return {
    ...nothingKnown,
    '/jobs/overview': { jobs: [endedJob] },
    [`/jobs/${jobId}/config`]: { 'execution-config': { 'user-config': {} } },
    [`/jobs/${jobId}/checkpoints`]: { counts, latest: { completed: null, savepoint: null, failed: null, ...latest } },
  }
}

/** @param onBody Gets the body of each call that has one. */
async function flinkOf(
  answers: Readonly<Record<string, unknown>>,
  onBody: (body: string) => void = () => undefined,
): Promise<FlinkClient> {
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      if (body !== '') onBody(body)
      const path = (request.url ?? '').replace(/^\/v1|\?.*$/g, '')
      const answer = answers[path]
      response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer ?? { errors: [`no ${path}`] }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = new FlinkClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  closing.push(() => {
    void client.close()
    server.closeAllConnections()
    server.close()
  })
  return client
}

/** Deploys as far as bundling; returns what it was refused with. */
async function refusalOf(
  answers: Readonly<Record<string, unknown>>,
  given: Partial<Deployment> & Pick<Deployment, 'findResults'>,
): Promise<unknown> {
  const deployment: Deployment = {
    plan: { name: 'press-shop' } as Plan,
    configPath: '/none/millwright.config.ts',
    release: '0.0.0',
    flink: await flinkOf(answers),
    bootstrapServers: ['127.0.0.1:1'],
    onStep: (text) => {
      if (text.startsWith('Bundling')) throw wentOn
    },
    ...given,
  }
  return deploy(deployment).catch((error: unknown) => error)
}

const results = async (): Promise<string[]> => ['device-features', 'alert-signals']
const noResults = async (): Promise<string[]> => []
const unasked = async (): Promise<string[]> => {
  throw new Error('the topics need not be looked at')
}

test('a job that Flink has forgotten is not begun anew unasked: its results are on the topics', async () => {
  const refusal = await refusalOf(nothingKnown, { findResults: results })
  expect(refusal).toBeInstanceOf(ConfigurationError)
  expect((refusal as Error).message).toMatch(
    /--savepoint.*device-features and alert-signals hold results.*PATH.*--without-state/s,
  )
})

test('the first job of a plant, one from a savepoint and one without state are not refused', async () => {
  expect(await refusalOf(nothingKnown, { findResults: noResults })).toBe(wentOn)
  expect(await refusalOf(nothingKnown, { findResults: unasked, savepoint: 'file:/s' })).toBe(wentOn)
  expect(await refusalOf(nothingKnown, { findResults: unasked, withoutState: true })).toBe(wentOn)
})

test.each([
  [
    'the savepoint',
    { completed: checkpoint(7, 'checkpoint', 'file:/c/chk-7'), savepoint: checkpoint(8, 'savepoint', 'file:/s') },
    'file:/s ',
  ],
  [
    'a newer checkpoint that was retained',
    { completed: checkpoint(9, 'checkpoint', 'file:/c/chk-9'), savepoint: checkpoint(8, 'savepoint', 'file:/s') },
    'file:/c/chk-9 ',
  ],
  [
    'no checkpoint that was removed',
    { completed: checkpoint(9, 'checkpoint', 'file:/c/chk-9', true), savepoint: checkpoint(8, 'savepoint', 'file:/s') },
    'file:/s ',
  ],
  [
    'none where there is none',
    { completed: checkpoint(9, 'checkpoint', 'file:/c/chk-9', true) },
    'PATH, of its savepoint',
  ],
])('where Flink remembers the job that ended, the refusal names where to go on from: %s', async (_, latest, named) => {
  const refusal = await refusalOf(remembering(latest), { findResults: unasked })
  expect(refusal).toBeInstanceOf(ConfigurationError)
  expect((refusal as Error).message).toContain(`job ${jobId} of this name has ended`)
  expect((refusal as Error).message).toContain(named)
})

test('a Flink that has no place for state is refused before anything is looked at', async () => {
  const refusal = await refusalOf({ '/jobmanager/config': [] }, { findResults: unasked, withoutState: true })
  expect(refusal).toBeInstanceOf(ConfigurationError)
  expect((refusal as Error).message).toMatch(
    /execution\.checkpointing\.dir: .*\n.*execution\.checkpointing\.savepoint-dir: /,
  )
})

test('a job is started with the settings that the cluster leaves open', async () => {
  const bodies: string[] = []
  const answers = {
    '/jars/host.jar/run': { jobid: jobId },
    [`/jobs/${jobId}`]: { ...endedJob, state: 'FINISHED', vertices: [] },
    [`/jobs/${jobId}/exceptions`]: { exceptionHistory: { entries: [], truncated: false } },
  }
  const flink = await flinkOf(answers, (body) => bodies.push(body))
  const configuration = { 'execution.checkpointing.interval': '10 s' }
  expect(await startJob(flink, 'host.jar', { args: [], parallelism: 2, configuration })).toBe(jobId)
  expect(bodies.map((body) => JSON.parse(body))).toEqual([
    { programArgsList: [], parallelism: 2, flinkConfiguration: configuration },
  ])
})
