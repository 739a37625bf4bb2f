/** Method: a gateway whose plant has so many cases, asked page by page. */
import type { CaseCommand, CaseView } from '@millwright/core'
import { afterEach, describe, expect, test } from 'vitest'
import type { CaseDesk, CaseQuery } from './case-desk.ts'
import type { HttpGateway } from './start-http-gateway.ts'
import { startQuietGateway } from './testing/quiet-gateway.ts'

const gateways: HttpGateway[] = []
afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close()))
})

/** The clock of these gateways. */
const untilMs = 1_766_090_000_000

/** A gateway with so many cases; `null`: none are kept. @returns Its address, and what the desk was asked and told. */
async function start(count: number | null): Promise<{ url: string; asked: CaseQuery[]; told: CaseCommand[] }> {
  const asked: CaseQuery[] = []
  const told: CaseCommand[] = []
  // What of a case the list does not look at is left out.
  const all = Array.from({ length: count ?? 0 }, (_, i) => ({ caseId: `press-${i}@1` }) as CaseView)
  const desk: CaseDesk = {
    list: (query) => {
      asked.push(query)
      const cases = all.slice(query.offset, query.offset + query.limit)
      if (count === null) return null
      const counts = { open: count, acknowledged: 0, resolved: 0 }
      return { cases, total: all.length, counts, asOf: 1_766_000_400_000, isBehind: false }
    },
    show: async () => null,
    channels: async () => null,
    command: async (command) => {
      told.push(command)
      return { kind: 'pending' }
    },
  }
  const gateway = await startQuietGateway({ cases: desk, verdictsUntilMs: () => untilMs })
  gateways.push(gateway)
  return { url: `${gateway.url}/api/cases`, asked, told }
}

interface Page {
  readonly cases: readonly CaseView[]
  readonly total: number
  readonly counts: object | null
  readonly nextOffset: number | null
}
const pageOf = async (url: string): Promise<Page> => (await (await fetch(url)).json()) as Page

describe('GET /api/cases', () => {
  test.each([
    [250, 100],
    [200, 100],
    [7, 3],
    [3, 3],
    [0, 3],
  ])('%i cases, %i a page, are each on one page, and the last says that it is the last', async (count, limit) => {
    const { url } = await start(count)
    const ids: string[] = []
    const sizes: number[] = []
    for (let offset: number | null = 0; offset !== null; ) {
      const page: Page = await pageOf(`${url}?offset=${offset}&limit=${limit}`)
      expect(page.total).toBe(count)
      ids.push(...page.cases.map(({ caseId }) => caseId))
      sizes.push(page.cases.length)
      offset = page.nextOffset
    }
    expect(ids).toEqual(Array.from({ length: count }, (_, i) => `press-${i}@1`))
    expect(sizes.slice(0, -1).every((size) => size === limit)).toBe(true)
    expect(sizes).toHaveLength(Math.max(1, Math.ceil(count / limit)))
  })

  test('a page beyond the last is empty and has none after it', async () => {
    const { url } = await start(5)
    expect(await pageOf(`${url}?offset=5`)).toMatchObject({ cases: [], total: 5, nextOffset: null })
    expect(await pageOf(`${url}?offset=9007199254740991&limit=500`)).toMatchObject({ cases: [], nextOffset: null })
  })

  test('what is not said is any case from the first on, a hundred of them; what is said reaches the desk', async () => {
    const { url, asked } = await start(250)
    expect(await pageOf(url)).toMatchObject({ total: 250, nextOffset: 100 })
    await pageOf(`${url}?status=unresolved&severity=critical&deviceId=press%2007&offset=20&limit=10`)
    expect(asked).toEqual([
      { status: null, deviceId: null, severity: null, offset: 0, limit: 100 },
      { status: 'unresolved', deviceId: 'press 07', severity: 'critical', offset: 20, limit: 10 },
    ])
  })

  test.each([
    'limit=0',
    'limit=501',
    'limit=1.5',
    'offset=-1',
    'offset=x',
    'status=closed',
    'severity=grave',
  ])('a query with %s is refused, and says what is wanted', async (query) => {
    const { url, asked } = await start(5)
    const answer = await fetch(`${url}?${query}`)
    const wanted = { code: 'query-malformed', detail: expect.stringContaining(query.split('=')[0] ?? '') }
    expect([answer.status, await answer.json()]).toMatchObject([400, wanted])
    expect(asked).toEqual([])
  })

  test('where nobody watches there is an empty page without counts, no error', async () => {
    const { url } = await start(null)
    expect(await pageOf(url)).toEqual({
      ...{ cases: [], total: 0, counts: null, asOf: null, isBehind: true, nextOffset: null },
    })
  })
})

describe('POST /api/cases/CASE/commands', () => {
  const resolve = (url: string, fields: object): Promise<Response> => {
    const command = { command: 'resolve', verdict: 'failure-confirmed', ...fields }
    return fetch(`${url}/press-0%401/commands`, { method: 'POST', body: JSON.stringify(command) })
  }

  test.each([
    [
      'a failure tomorrow',
      { failureAt: untilMs + 86_400_000 },
      'command-failure-at',
      'failureAt: found 1766176400000 ',
    ],
    ['a failure in a millisecond', { failureAt: untilMs + 1 }, 'command-failure-at', 'failureAt: found 1766090000001 '],
    ['a span that goes on', { to: untilMs + 1 }, 'command-span', 'to: found 1766090000001 '],
  ])('a verdict with %s is refused, and told to nobody', async (_, fields, code, found) => {
    const { url, told } = await start(1)
    const answer = await resolve(url, fields)
    expect([answer.status, await answer.json()]).toMatchObject([400, { code, detail: expect.stringContaining(found) }])
    expect(told).toEqual([])
  })

  test('a verdict with a failure of this moment is taken', async () => {
    const { url, told } = await start(1)
    expect((await resolve(url, { failureAt: untilMs, to: untilMs })).status).toBe(202)
    expect(told).toMatchObject([{ command: 'resolve', failureAt: untilMs, to: untilMs }])
  })
})
