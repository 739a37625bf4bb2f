import { randomUUID } from 'node:crypto'
import {
  alertSeverities,
  type CaseCommand,
  type CaseRefusal,
  caseStatuses,
  checkCaseCommand,
  limits,
} from '@millwright/core'
import type { FastifyInstance } from 'fastify'
import { commandAhead } from '../door/verdict-times.ts'
import type { MemoryPool } from '../memory-pool.ts'
import type { ByteBudget } from './byte-budget.ts'
import type { CaseDesk, CaseQuery } from './case-desk.ts'
import type { Counters } from './counters.ts'
import { RequestRefusedError } from './problem.ts'
import { readBody } from './request-body.ts'

const casesPerPage = 100
const casesPerPageMax = 500

/** Adds the routes by which people see cases and say what they did. @param plant.desk `null` where no cases are kept. */
export function addCaseRoutes(
  app: FastifyInstance,
  { desk, verdictsUntilMs }: { readonly desk: CaseDesk | null; readonly verdictsUntilMs: () => number },
  use: { readonly budget: ByteBudget; readonly memory: MemoryPool; readonly counters: Counters },
): void {
  app.get<{ Querystring: Record<string, unknown> }>('/api/cases', (request) => {
    const query = queryOf(request.query)
    const found = desk?.list(query) ?? null
    // No error: a page asks for cases wherever it is shown.
    if (found === null) return { cases: [], total: 0, counts: null, asOf: null, isBehind: true, nextOffset: null }
    const nextOffset = query.offset + found.cases.length
    return { ...found, nextOffset: found.cases.length > 0 && nextOffset < found.total ? nextOffset : null }
  })

  app.get<{ Params: { caseId: string } }>('/api/cases/:caseId', async ({ params: { caseId } }) => {
    const found = await requireDesk(desk).show(caseId)
    if (found === null) throw unknownCase(caseId)
    return found
  })

  app.get<{ Params: { caseId: string } }>('/api/cases/:caseId/channels', async ({ params: { caseId } }) => {
    const found = await requireDesk(desk).channels(caseId)
    if (found === null) throw unknownCase(caseId)
    return found
  })

  app.post<{ Params: { caseId: string } }>('/api/cases/:caseId/commands', async (request, reply) => {
    const { caseId } = request.params
    const body = await readBody(request.raw, { bytesMax: limits.caseCommandBytesMax, ...use })
    let command: CaseCommand
    try {
      use.counters.add('http_received_bytes_total', {}, body.bytes.byteLength)
      command = commandOf(caseId, body.bytes, verdictsUntilMs())
    } finally {
      body.release()
    }
    const answer = await requireDesk(desk).command(command)
    const { id } = command
    switch (answer.kind) {
      case 'applied':
        return { id, case: answer.case }
      case 'pending':
        return reply.code(202).send({ id, case: null })
      case 'refused':
        throw refused(answer.reason, caseId)
    }
  })
}

function requireDesk(desk: CaseDesk | null): CaseDesk {
  if (desk === null) throw notWatched()
  return desk
}

/** @throws {RequestRefusedError} Where the body is no command, or a verdict on what is to come. */
function commandOf(caseId: string, bytes: Uint8Array, untilMs: number): CaseCommand {
  let document: unknown
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw wrongCommand('command-not-json', 'the command: wanted JSON in UTF-8')
  }
  const fields = typeof document === 'object' && document !== null && !Array.isArray(document) ? document : null
  // The path says which case; its id says which device.
  const deviceId = caseId.slice(0, Math.max(0, caseId.lastIndexOf('@')))
  const read = checkCaseCommand(fields === null ? document : { id: randomUUID(), ...fields, caseId, deviceId })
  if (read.kind === 'refused') throw wrongCommand(read.reason, read.message)
  const ahead = commandAhead(read.command, untilMs)
  if (ahead !== null) throw wrongCommand(ahead.reason, ahead.message)
  return read.command
}

/** @throws {RequestRefusedError} Where it is none. */
function queryOf(given: Record<string, unknown>): CaseQuery {
  const text = (name: string): string | null => (typeof given[name] === 'string' ? (given[name] as string) : null)
  const whole = (name: string, usual: number, min: number, max: number): number => {
    const value = given[name] === undefined ? usual : Number(text(name) ?? Number.NaN)
    if (!Number.isInteger(value) || value < min || value > max) throw wrongQuery(name, given[name], `${min} to ${max}`)
    return value
  }
  const statuses = ['unresolved', ...caseStatuses, 'any'] as const
  const status = statuses.find((each) => each === (text('status') ?? 'any'))
  if (status === undefined) throw wrongQuery('status', given['status'], statuses.join(', '))
  const asked = text('severity')
  const severity = alertSeverities.find((each) => each === asked) ?? null
  if (asked !== null && severity === null) throw wrongQuery('severity', asked, alertSeverities.join(', '))
  return {
    status: status === 'any' ? null : status,
    deviceId: text('deviceId'),
    severity,
    offset: whole('offset', 0, 0, Number.MAX_SAFE_INTEGER),
    limit: whole('limit', casesPerPage, 1, casesPerPageMax),
  }
}

/** What a refusal means to the person who gave the command. */
const refusalTexts: Readonly<Record<CaseRefusal, string>> = {
  malformed: 'It is no command.',
  'unknown-case': 'There is no such case, or it was resolved more than 30 days ago.',
  stale: 'Somebody else has changed the case since you saw it: look at it again.',
  'already-resolved': 'The case is resolved: reopen it first.',
  'already-acknowledged': 'The case is acknowledged already.',
  'not-resolved': 'The case is not resolved.',
  'another-open': 'The machine has another case that is not resolved: resolve that one first.',
  'links-max': `The case has ${limits.caseLinksMax} links already.`,
  'linked-already': 'The case has this link already.',
  span: 'The verdict is about no time: its span must begin before it ends, and before the failure.',
}

function refused(reason: CaseRefusal, caseId: string): RequestRefusedError {
  if (reason === 'unknown-case') return unknownCase(caseId)
  return new RequestRefusedError({
    status: 409,
    code: reason,
    title: 'The case was not changed',
    detail: refusalTexts[reason],
  })
}

function unknownCase(caseId: string): RequestRefusedError {
  return new RequestRefusedError({
    status: 404,
    code: 'unknown-case',
    title: 'There is no such case',
    detail: `found nothing of the case "${caseId.slice(0, 300)}"`,
  })
}

function notWatched(): RequestRefusedError {
  return new RequestRefusedError({
    status: 503,
    code: 'not-watched',
    title: 'No cases are known here',
    detail: 'The watcher has read nothing so far, or does not run here.',
    retryAfterS: 5,
  })
}

function wrongCommand(code: string, detail: string): RequestRefusedError {
  return new RequestRefusedError({ status: 400, code, title: 'The command cannot be read', detail })
}

function wrongQuery(name: string, found: unknown, wanted: string): RequestRefusedError {
  return new RequestRefusedError({
    status: 400,
    code: 'query-malformed',
    title: 'The query cannot be read',
    detail: `found ${name}=${(JSON.stringify(found) ?? '').slice(0, 100)}, wanted ${wanted}`,
  })
}
