import { randomUUID } from 'node:crypto'
import type { CaseView } from '../../../packages/core/src/index.ts'
import type { WatchReport } from '../../../packages/monitoring/src/index.ts'
import { did } from '../support/commands.ts'

/** What is asked of a gateway, as a person's browser or a program of the plant asks it. */

export async function reportAt(url: string): Promise<WatchReport | null> {
  const response = await fetch(`${url}/api/model`)
  return response.ok ? ((await response.json()) as WatchReport) : null
}

export async function metricsAt(url: string): Promise<string[]> {
  return (await (await fetch(`${url}/metrics`)).text()).split('\n')
}

/** Of the report: not which model is in force and since when, which the engine says, nor what operators count. */
export async function modelMetrics(url: string): Promise<string[]> {
  return (await metricsAt(url))
    .filter((line) => /^millwright_(?:model|drift|false|verdicts|quality|machines)_/.test(line))
    .filter((line) => !/^millwright_model_(?:activ|in_force)/.test(line))
}

/** The value of one series; `null` where there is none. */
export async function metricAt(url: string, series: string): Promise<number | null> {
  const line = (await metricsAt(url)).find((each) => each.startsWith(`${series} `))
  return line === undefined ? null : Number(line.slice(series.length + 1))
}

/** Hands in lines. @throws Where they are not taken. */
export async function post(url: string, to: 'readings' | 'feedback', lines: readonly string[]): Promise<void> {
  const headers = { 'content-type': 'application/x-ndjson' }
  const response = await fetch(`${url}/api/${to}`, { method: 'POST', headers, body: lines.join('\n') })
  if (response.status !== 202) throw new Error(`${to}: ${response.status} ${await response.text()}`)
}

/** The case as a gateway shows it; `null` where it knows none of this id. */
export async function caseAt(url: string, caseId: string): Promise<CaseView | null> {
  return (await casesAt(url)).find((each) => each.caseId === caseId) ?? null
}

/** All cases that a gateway shows. */
export async function casesAt(url: string): Promise<readonly CaseView[]> {
  const response = await fetch(`${url}/api/cases?limit=100`)
  return ((await response.json()) as { cases: readonly CaseView[] }).cases
}

/** Does something to a case. @returns Whether it was answered with what became of it, rather than as pending. @throws Where it was refused. */
export async function command(url: string, caseId: string, what: Readonly<Record<string, unknown>>): Promise<boolean> {
  const response = await fetch(`${url}/api/cases/${encodeURIComponent(caseId)}/commands`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id: randomUUID(), by: 'Jo', ...what }),
  })
  if (response.status !== 200 && response.status !== 202)
    throw new Error(`${JSON.stringify(what)}: ${response.status} ${await response.text()}`)
  return response.status === 200
}

/** All records of a topic, each partition's in its order. */
export async function exported<T>(topic: string, ...from: readonly string[]): Promise<T[]> {
  const { stdout } = await did('topics', 'export', topic, ...from)
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]))
}
