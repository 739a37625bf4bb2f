import type { AlertSignal, DeviceStatus, Plan } from '@millwright/core'
import { CaseBook, type CaseOutput } from '@millwright/monitoring'
import type { InjectedFault } from '@millwright/simulator'
import { loadPackage } from '../../../packages/cli/src/models/load-package.ts'
import { buildOperator } from '../../../packages/cli/src/plant/build-operator.ts'

const hourMs = 3_600_000
const lookedAtAfterMs = 2 * hourMs
/** From here on who stands beside the machine knows. */
const plainFromSeverity = 0.3

/** What became of the cases of one policy. */
export interface Score {
  cases: number
  /** Of these, those whose machine was on its way to a failure. */
  right: number
  /** Alerts that were raised, on a new case or on one that was open. */
  raised: number
  wears: number
  /** Of these, those with a case before the machine broke. */
  told: number
  leaks: number
  leaksTold: number
  /** From the case to the failure, of each that was told. */
  readonly leadMs: number[]
}

/** One plant under one policy: its operators, its cases, and the people who look at them. */
export class PolicyFold {
  readonly #operator: ReturnType<typeof buildOperator>
  readonly #book: CaseBook
  readonly #faults: ReadonlyMap<string, InjectedFault>
  readonly #told: { readonly topic: string; readonly line: string }[] = []
  readonly #cases = new Map<string, { readonly deviceId: string; readonly openedAtMs: number; right: boolean }>()
  #offset = 0
  #raised = 0

  /** @param marked Whether the plan has an alert policy beyond one threshold. */
  constructor(plan: Plan, model: Uint8Array, marked: boolean, faults: readonly InjectedFault[]) {
    this.#operator = buildOperator(plan, {
      emit: (topic, _deviceId, _offset, line) => {
        if (topic === 'alert-signals' || topic === 'device-status') this.#told.push({ topic, line })
      },
    })
    this.#operator.activate({ model: loadPackage(model, plan), activeFromMs: 0, seenAtMs: 0 }, this.#offset++)
    this.#book = new CaseBook({ marked })
    this.#faults = new Map(faults.map((fault) => [fault.deviceId, fault]))
  }

  /** Takes readings that came together, what the plant makes of them, and what people do about it; in the order of `atMs`. */
  take(lines: Uint8Array, atMs: number): void {
    this.#operator.readings(lines, this.#offset, atMs)
    this.#offset += lines.length
    this.#operator.heartbeat(atMs, this.#offset++)
    this.#operator.flush()
    for (const { topic, line } of this.#told.splice(0)) {
      if (topic === 'device-status') this.#note(this.#book.deviceStatus(JSON.parse(line) as DeviceStatus, atMs), atMs)
      else this.#note(this.#book.alertSignal(JSON.parse(line) as AlertSignal, atMs), atMs)
    }
    for (const { caseId, deviceId, openedAt, status } of [...this.#book.unresolved()]) {
      const seen = this.#faults.get(deviceId)
      const command = { id: `${caseId} ${atMs}`, caseId, deviceId }
      if (seen !== undefined && atMs >= failureMs(seen)) this.#resolve(command, 'failure-confirmed', atMs)
      else if (status === 'open' && atMs - openedAt >= lookedAtAfterMs) {
        if (seen !== undefined && seen.severityAt(atMs) >= plainFromSeverity)
          this.#note(this.#book.command(JSON.stringify({ ...command, command: 'acknowledge' }), atMs), atMs)
        else this.#resolve(command, 'false-alarm', atMs)
      }
    }
  }

  /** Adds what was counted. */
  addTo(score: Score): void {
    const cases = [...this.#cases.values()]
    score.cases += cases.length
    score.right += cases.filter(({ right }) => right).length
    score.raised += this.#raised
    for (const [deviceId, fault] of this.#faults) {
      const atMs = failureMs(fault)
      const first = cases.find((one) => one.deviceId === deviceId && one.right && one.openedAtMs < atMs)
      const isWear = fault.fault === 'bearing-wear'
      if (isWear) score.wears += 1
      else score.leaks += 1
      if (first === undefined) continue
      if (isWear) {
        score.told += 1
        score.leadMs.push(atMs - first.openedAtMs)
      } else score.leaksTold += 1
    }
  }

  #resolve(command: { readonly id: string }, verdict: 'failure-confirmed' | 'false-alarm', atMs: number): void {
    this.#note(this.#book.command(JSON.stringify({ ...command, command: 'resolve', verdict }), atMs), atMs)
  }

  #note(outputs: readonly CaseOutput[], atMs: number): void {
    for (const { message } of outputs) {
      const { caseId, deviceId, change, verdict, follows } = message
      if ((change === 'opened' && follows === null) || change === 'raised-again') this.#raised += 1
      if (change === 'opened') this.#cases.set(caseId, { deviceId, openedAtMs: atMs, right: false })
      const found = this.#cases.get(caseId)
      if (found !== undefined && verdict !== null) found.right = verdict.kind === 'failure-confirmed'
    }
  }
}

/** When a machine breaks, epoch milliseconds. */
export function failureMs({ failureMs: atMs, fullMs }: InjectedFault): number {
  return atMs ?? fullMs
}
