import { type CaseCommand, type CaseRefusal, caseRefusals } from '@millwright/core'
import type { CaseCommandAnswer, CaseDetail, CaseList, CaseQuery } from '@millwright/gateways'
import { answeredError, type GatewayClient } from '../control/gateway-client.ts'
import { type CaseAccess, notKept } from './case-access.ts'

/** As many as a gateway gives at once. */
const casesPerPageMax = 500

/** The cases of a plant that is asked over HTTP, on one machine or on Kafka. */
export class GatewayCases implements CaseAccess {
  readonly #gateway: GatewayClient

  constructor(gateway: GatewayClient) {
    this.#gateway = gateway
  }

  /** Page by page. A case that changes its place meanwhile is given once, or not at all where it moved to a page that was read. */
  async list({ status, deviceId, severity, offset, limit }: CaseQuery): Promise<CaseList> {
    const cases = new Map<string, CaseList['cases'][number]>()
    for (let from = offset; ; ) {
      const asked = new URLSearchParams({
        status: status ?? 'any',
        offset: String(from),
        limit: String(Math.min(casesPerPageMax, limit - cases.size)),
        ...(deviceId === null ? {} : { deviceId }),
        ...(severity === null ? {} : { severity }),
      })
      const page = (await this.#gateway.get(`api/cases?${asked}`)) as CasePage
      if (page.counts === null) throw notKept()
      for (const each of page.cases) cases.set(each.caseId, each)
      if (page.nextOffset === null || cases.size >= limit)
        return {
          cases: [...cases.values()],
          total: page.total,
          counts: page.counts,
          asOf: page.asOf,
          isBehind: page.isBehind,
        }
      from = page.nextOffset
    }
  }

  async show(caseId: string): Promise<CaseDetail | null> {
    const answer = await this.#gateway.exchange('GET', pathOf(caseId))
    if (answer.status === 200) return answer.document as CaseDetail
    const code = codeOf(answer.document)
    if (code === 'unknown-case') return null
    throw code === 'not-watched' ? notKept() : answeredError(answer)
  }

  async command(command: CaseCommand): Promise<CaseCommandAnswer> {
    const answer = await this.#gateway.exchange('POST', `${pathOf(command.caseId)}/commands`, command)
    if (answer.status === 202) return { kind: 'pending' }
    if (answer.status === 200) return { kind: 'applied', case: (answer.document as { case: CaseDetail['case'] }).case }
    const code = codeOf(answer.document)
    const reason: CaseRefusal | undefined = caseRefusals.find((each) => each === code)
    if (reason !== undefined) return { kind: 'refused', reason }
    throw code === 'not-watched' ? notKept() : answeredError(answer)
  }
}

interface CasePage extends Omit<CaseList, 'counts'> {
  readonly counts: CaseList['counts'] | null
  readonly nextOffset: number | null
}

function pathOf(caseId: string): string {
  return `api/cases/${encodeURIComponent(caseId)}`
}

function codeOf(document: unknown): string | null {
  if (typeof document !== 'object' || document === null || !('code' in document)) return null
  return typeof document.code === 'string' ? document.code : null
}
