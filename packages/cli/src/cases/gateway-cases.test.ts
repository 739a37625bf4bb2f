/** Method: a gateway as a plant has it, with cases in memory behind it, asked by the commands' client. */
import { type CaseCommand, type CaseRefusal, type CaseView, caseRefusals } from '@millwright/core'
import { type CaseDesk, type CaseQuery, type HttpGateway, startHttpGateway } from '@millwright/gateways'
import { afterEach, expect, test } from 'vitest'
import { GatewayClient } from '../control/gateway-client.ts'
import { queryCases } from './case-mirror.ts'
import { GatewayCases } from './gateway-cases.ts'

const gateways: HttpGateway[] = []
afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close()))
})
const unused = (): never => {
  throw new Error('nobody asks for this in these tests')
}

async function start(desk: Partial<CaseDesk> | null): Promise<GatewayCases> {
  const gateway = await startHttpGateway({
    port: 0,
    door: { readings: unused, deviceEvents: unused },
    ingest: { append: unused, ready: unused },
    feedback: { appendFeedback: unused },
    verdictsUntilMs: () => Number.POSITIVE_INFINITY,
    plant: { notReady: () => null, metrics: () => '', status: unused },
    alerts: { ends: () => [], read: unused, subscribe: () => () => undefined },
    models: { list: () => [], publish: unused, rollback: unused },
    cases: desk === null ? null : { list: unused, show: unused, channels: unused, command: unused, ...desk },
  })
  gateways.push(gateway)
  return new GatewayCases(new GatewayClient(gateway.url, null))
}

/** Of 1,203 machines, as different as the order of cases and a query look at. */
const all = Array.from({ length: 1203 }, (_, i): CaseView => {
  const status = (['open', 'acknowledged', 'resolved'] as const)[i % 3] as CaseView['status']
  const severity = (['warning', 'minor', 'major', 'critical'] as const)[i % 4] as CaseView['severity']
  const deviceId = `press ${i % 1200}/ü&=`
  return {
    ...{ caseId: `${deviceId}@${i}`, deviceId, sequence: 0, change: 'opened', changedAt: i, status, severity },
    ...{ alerting: i % 5 === 0, device: 'sending', openedAt: i, acknowledgedAt: null, verdict: null, assignee: null },
    ...{ resolvedAt: status === 'resolved' ? i : null, from: 0, to: 1, model: { name: 'm', version: '1' } },
    ...{ windowEnd: 1, probability: 0.9, peak: { windowEnd: 1, probability: 0.9 }, features: {}, why: [] },
    ...{ follows: null, links: [], evidence: [{ windowEnd: 1, probability: 0.9 }] },
  }
})

const any: CaseQuery = { status: null, deviceId: null, severity: null, offset: 0, limit: 1_000_000 }
test.each<[string, CaseQuery]>([
  ['all', any],
  ['some of each page', { ...any, offset: 3, limit: 777 }],
  ['those that nobody resolved', { ...any, status: 'unresolved' }],
  ['one severity', { ...any, severity: 'major', limit: 1000 }],
  ['one machine', { ...any, deviceId: 'press 1/ü&=', limit: 1 }],
  ['none', { ...any, deviceId: 'press' }],
])('list() gives %s over HTTP as on the plant itself, on as many pages as it takes', async (_, query) => {
  const how = { asOf: 1_766_000_400_000, isBehind: true }
  const cases = await start({ list: (asked) => ({ ...queryCases(all, asked), ...how }) })
  expect(await cases.list(query)).toEqual({ ...queryCases(all, query), ...how })
})

const command = { command: 'comment', caseId: 'press 1/ü@7', deviceId: 'press 1/ü', id: 'c', comment: 'so' } as const
const given: CaseCommand = { ...command, by: 'Jo', seen: 4 }

test('command() reaches the plant as it was given, and says what became of it', async () => {
  const came: CaseCommand[] = []
  const [first] = all as [CaseView]
  const refusals = caseRefusals.filter((reason) => reason !== 'malformed')
  const answers = [
    { kind: 'applied', case: first } as const,
    { kind: 'pending' } as const,
    ...refusals.map((reason: CaseRefusal) => ({ kind: 'refused', reason }) as const),
  ]
  const cases = await start({
    command: async (each) => {
      came.push(each)
      return answers[came.length - 1] ?? unused()
    },
  })
  for (const answer of answers) expect(await cases.command(given)).toEqual(answer)
  expect(came).toEqual(answers.map(() => given))
})

test('show() gives null where there is no such case', async () => {
  const [first] = all as [CaseView]
  const detail = { case: first, history: [], windows: [], isCut: false }
  const cases = await start({ show: async (caseId) => (caseId === first.caseId ? detail : null) })
  expect(await cases.show(first.caseId)).toEqual(detail)
  expect(await cases.show('press@1')).toBeNull()
})

test('a plant that keeps no cases says so, whatever is asked', async () => {
  const cases = await start(null)
  for (const ask of [() => cases.list(any), () => cases.show('a@1'), () => cases.command(given)])
    await expect(ask()).rejects.toThrow('keeps no cases')
})
