import type { CaseVerdictKind, CaseView } from '@millwright/core'
import type { CaseDetail, CaseList } from '@millwright/gateways'
import { eventually, type Proof } from '../support/proof.ts'
import { post } from '../support/proof-plant.ts'

const intervalMs = 500
/** A watcher takes what is in a snapshot, every ten seconds; on a busy machine that is much later. */
const patienceSeconds = 180

/** Looks at a plant's cases twice a second, as the page of a person on shift does, and acts on them as that person. */
export class CaseWatch {
  /** When each case was first shown, epoch milliseconds of the real clock. */
  readonly firstShownMs = new Map<string, number>()
  readonly #url: string
  #cases: readonly CaseView[] = []
  #timer: NodeJS.Timeout | null = null

  constructor(proof: Proof, url: string) {
    this.#url = url
    const again = (): void => {
      this.#timer = setTimeout(
        () =>
          void this.#look()
            .catch(() => undefined)
            .finally(again),
        intervalMs,
      )
    }
    again()
    proof.onEnd(() => this.stop())
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  /** All cases as they were shown last. */
  get cases(): readonly CaseView[] {
    return this.#cases
  }

  /** What became of a case, oldest first. */
  async historyOf(caseId: string): Promise<CaseDetail['history']> {
    const answer = await fetch(`${this.#url}/api/cases/${encodeURIComponent(caseId)}`)
    return ((await answer.json()) as CaseDetail).history
  }

  /** Resolves the case of a machine, when it is shown. @throws When it is not in three minutes, or the plant refuses. */
  async resolve(
    deviceId: string,
    verdict: { readonly verdict: CaseVerdictKind; readonly found: string; readonly failureAt?: number },
  ): Promise<void> {
    const open = await eventually(`a case of ${deviceId}`, patienceSeconds, async () => {
      return this.#cases.find((one) => one.deviceId === deviceId && one.status !== 'resolved') ?? null
    })
    const path = `${this.#url}/api/cases/${encodeURIComponent(open.caseId)}/commands`
    const command = { id: `resolve-${deviceId}`, command: 'resolve', by: 'the shift', ...verdict }
    // The same id is the same command: one that a killed plant may have taken is sent again.
    const answer = await eventually(`an answer to what was found at ${deviceId}`, patienceSeconds, async () => {
      const given = await post(path, 'application/json', Buffer.from(JSON.stringify(command)))
      return given.status === 0 ? null : given
    })
    if (answer.status !== 200 && answer.status !== 202)
      throw new Error(`resolving ${open.caseId} was answered ${answer.status}: ${answer.body}`)
  }

  async #look(): Promise<void> {
    const { cases } = (await (await fetch(`${this.#url}/api/cases?status=any&limit=500`)).json()) as CaseList
    const nowMs = Date.now()
    for (const { caseId } of cases) if (!this.firstShownMs.has(caseId)) this.firstShownMs.set(caseId, nowMs)
    this.#cases = cases
  }
}
