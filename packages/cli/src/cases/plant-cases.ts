import {
  type CaseCommand,
  type CaseCommandPort,
  type CaseLine,
  type CaseMessage,
  type CaseRefusal,
  type CaseView,
  limits,
  type Plan,
} from '@millwright/core'
import type { CaseChannels, CaseCommandAnswer, CaseDesk, CaseDetail, CaseList, CaseQuery } from '@millwright/gateways'
import { type CaseChanges, caseView, type WatchedCase } from '@millwright/monitoring'
import type { CaseSink, Watcher } from '../watch/watcher.ts'
import { readCaseChannels } from './case-channels.ts'
import { queryCases } from './case-mirror.ts'
import {
  CaseNotReadError,
  type ReadSlowly,
  readCaseMessages,
  readCaseWindows,
  stepOf,
  viewOf,
  windowsBeforeMs,
} from './case-topics.ts'

/** How long somebody who gave a command waits for what becomes of it: a look of the watcher and a snapshot, several times over. */
const answerMsMax = 6000
/**
 * Cases that are older are said to be. A partition where nothing arrives holds the others back for as long as its heartbeats are apart; then come a
 * snapshot, on Kafka a checkpoint or two, and a look of the watcher.
 */
const behindMsMax = limits.heartbeatIntervalMsMax + 60_000

/** What of the engine, or of Kafka, is needed. */
export interface CaseStore extends CaseCommandPort {
  appendCases(lines: readonly CaseLine[]): Promise<void>
}

/**
 * The cases of a running plant: what its watcher knows of them, for whoever asks, and the way that commands go in.
 *
 * P1. Cases are shown as the watcher last told, and only after what became of them is on stable storage.
 * P2. A case is shown as it stands or not at all: where the watcher does not remember it and its last message was not reached, as an error.
 * P3. A command is answered once what became of it is known, or as pending: it is then on stable storage.
 * P4. A list of cases says up to when they are known, and whether that is behind: a watcher that reads old records, or none, has cases that were.
 */
export class PlantCases implements CaseDesk, CaseSink {
  readonly #store: CaseStore
  readonly #plan: Plan
  readonly #read: ReadSlowly
  /** Wakes the watcher. */
  readonly #hurry: () => void
  readonly #watcher: () => Pick<Watcher, 'readUpToMs' | 'isRunning'> | null
  readonly #logTimeMs: () => number
  #cases: Map<string, WatchedCase> | null = null
  readonly #waiting = new Map<string, (refusal: CaseRefusal | null) => void>()

  /**
   * @param options.watcher Whose cases they are; `null` before it is there.
   * @param options.logTimeMs Append time of the newest record in the log, epoch milliseconds.
   */
  constructor(options: {
    store: CaseStore
    plan: Plan
    read: ReadSlowly
    hurry: () => void
    watcher: () => Pick<Watcher, 'readUpToMs' | 'isRunning'> | null
    logTimeMs: () => number
  }) {
    this.#store = options.store
    this.#plan = options.plan
    this.#read = options.read
    this.#hurry = options.hurry
    this.#watcher = options.watcher
    this.#logTimeMs = options.logTimeMs
  }

  append(lines: readonly CaseLine[]): Promise<void> {
    return this.#store.appendCases(lines)
  }

  changed({ cases, outcomes }: CaseChanges, first: boolean): void {
    const known = first || this.#cases === null ? new Map<string, WatchedCase>() : this.#cases
    for (const [caseId, found] of cases)
      if (found === null) known.delete(caseId)
      else known.set(caseId, found)
    this.#cases = known
    for (const { id, refusal } of outcomes) this.#waiting.get(id)?.(refusal)
  }

  list(query: CaseQuery): CaseList | null {
    if (this.#cases === null) return null
    const { cases, ...rest } = queryCases(this.#cases.values(), query)
    const watcher = this.#watcher()
    const asOf = watcher?.readUpToMs ?? null
    const isBehind = watcher?.isRunning !== true || this.#logTimeMs() - (asOf ?? 0) > behindMsMax
    return { ...rest, cases: cases.map((each) => caseView(each as WatchedCase)), asOf, isBehind }
  }

  /** @throws {CaseNotReadError} P2. */
  async show(caseId: string): Promise<CaseDetail | null> {
    const { messages, isCut } = await readCaseMessages(this.#read, caseId)
    const found = this.#known(caseId) ?? lastOf(caseId, messages, isCut)
    if (found === null) return null
    const around = await readCaseWindows(this.#read, found, windowsBeforeMs)
    return { case: found, history: messages.map(stepOf), windows: around.windows, isCut: isCut || around.isCut }
  }

  /** @throws {CaseNotReadError} P2. */
  async channels(caseId: string): Promise<CaseChannels | null> {
    let found = this.#known(caseId)
    if (found === null) {
      const { messages, isCut } = await readCaseMessages(this.#read, caseId)
      found = lastOf(caseId, messages, isCut)
    }
    return found === null ? null : await readCaseChannels(this.#read, this.#plan, found)
  }

  async command(command: CaseCommand): Promise<CaseCommandAnswer> {
    const outcome = this.#outcomeOf(command.id)
    try {
      await this.#store.appendCaseCommands([{ deviceId: command.deviceId, line: JSON.stringify(command) }])
      this.#hurry()
      const refusal = await outcome.refusal
      const found = this.#cases?.get(command.caseId)
      if (refusal === undefined) return { kind: 'pending' }
      if (refusal !== null) return { kind: 'refused', reason: refusal }
      return found === undefined ? { kind: 'pending' } : { kind: 'applied', case: caseView(found) }
    } finally {
      outcome.forget()
    }
  }

  #known(caseId: string): CaseView | null {
    const known = this.#cases?.get(caseId)
    return known === undefined ? null : caseView(known)
  }

  /** `undefined`: nothing has become of it in the time that one waits. */
  #outcomeOf(id: string): { readonly refusal: Promise<CaseRefusal | null | undefined>; forget(): void } {
    const { promise, resolve } = Promise.withResolvers<CaseRefusal | null | undefined>()
    const timer = setTimeout(() => resolve(undefined), answerMsMax)
    this.#waiting.set(id, resolve)
    return {
      refusal: promise,
      forget: () => {
        clearTimeout(timer)
        this.#waiting.delete(id)
      },
    }
  }
}

/** The case as its last message left it. @throws {CaseNotReadError} Where that was not reached. */
function lastOf(caseId: string, messages: readonly CaseMessage[], isCut: boolean): CaseView | null {
  if (isCut) throw new CaseNotReadError(caseId)
  const last = messages.at(-1)
  return last === undefined ? null : viewOf(last)
}
