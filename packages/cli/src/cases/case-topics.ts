import { setImmediate as letOthersRun } from 'node:timers/promises'
import { type CaseMessage, type CaseView, MillwrightError, partitionOf } from '@millwright/core'
import { openTopicReader, type TopicReader } from '@millwright/engine'
import type { CaseStep, CaseWindow } from '@millwright/gateways'
import { defaultCaseRules, isAlertSignal, readRecord } from '@millwright/monitoring'

/** What the topics say of one case, read when somebody asks. */

/** A record as cases look at it. */
export interface SlowRecord {
  readonly key: string | null
  readonly appendTimeMs: number
  readonly value: Uint8Array
}

/**
 * Reads a topic from a time on until `visit` says that it has enough, or what one question may cost is spent, letting others run between.
 *
 * @returns Whether reading was cut short, as it took too long.
 */
export type ReadSlowly = (
  of: {
    readonly topic: 'cases' | 'alert-signals' | 'sensor-data'
    /** Whose partition; records of others stand in it too. */
    readonly deviceId: string
    readonly fromTimeMs: number
  },
  visit: (record: SlowRecord) => 'go-on' | 'enough',
) => Promise<boolean>

/** Work of the main thread before others get their turn, milliseconds. */
const turnMs = 5
/** What one question may cost in all, milliseconds. */
export const questionMs = 2000
/** Longest that a record's windows may end ahead of its append time. */
const dayMs = 86_400_000
const windowsMax = 500
/** Of them, up to the one that opened the case. */
const windowsUpToOpeningMax = 250
/** Before a case was opened, in its chart: of append time, and of event time. */
export const windowsBeforeMs = 6 * 3_600_000

/** @param spentMsMax What one question may cost; without a limit where nobody else waits. */
export function folderTopics(directory: string, partitionCount: number, spentMsMax = questionMs): ReadSlowly {
  return async ({ topic, deviceId, fromTimeMs }, visit) => {
    // The topic of cases has one partition there.
    const partition = topic === 'cases' ? 0 : partitionOf(deviceId, partitionCount)
    const reader: TopicReader = openTopicReader({ directory, topic, partition, fromTimeMs })
    let spentMs = 0
    try {
      for (;;) {
        const startedMs = performance.now()
        while (performance.now() - startedMs < turnMs) {
          for (let i = 0; i < 100; i++) {
            const record = reader.next()
            if (record === null || visit(record) === 'enough') return false
          }
        }
        spentMs += performance.now() - startedMs
        if (spentMs > spentMsMax) return true
        await letOthersRun()
      }
    } finally {
      reader.close()
    }
  }
}

/** The messages of a case could not be read to the last one in the time that a question has: how it stands is not known. */
export class CaseNotReadError extends MillwrightError {
  readonly code = 'CASE_NOT_READ'
  readonly retry = 'later'

  constructor(caseId: string) {
    super(`The case ${caseId} could not be read to its last change in ${questionMs / 1000} seconds: try again.`, {
      details: { caseId },
    })
  }
}

/** The messages of a case, oldest first; none where there is no such case. Where `isCut`, later ones are missing. */
export async function readCaseMessages(
  read: ReadSlowly,
  caseId: string,
): Promise<{ readonly messages: readonly CaseMessage[]; readonly isCut: boolean }> {
  const at = caseId.lastIndexOf('@')
  const [deviceId, windowEndMs] = [caseId.slice(0, at), Number(caseId.slice(at + 1))]
  if (at < 1 || !Number.isSafeInteger(windowEndMs)) return { messages: [], isCut: false }
  const messages: CaseMessage[] = []
  const isCut = await read({ topic: 'cases', deviceId, fromTimeMs: windowEndMs - dayMs }, ({ key, value }) => {
    if (key !== deviceId) return 'go-on'
    const message = readRecord(Buffer.from(value).toString(), isCaseMessage)
    if (typeof message === 'object' && message.caseId === caseId) messages.push(message)
    return 'go-on'
  })
  return { messages, isCut }
}

/** On Kafka anybody may write to the topic: what names no case is passed over. Who does name one is believed, as only the plant may. */
function isCaseMessage(document: unknown): document is CaseMessage {
  return typeof document === 'object' && document !== null && typeof (document as CaseMessage).caseId === 'string'
}

/** The case as its last message left it. */
export function viewOf(message: CaseMessage): CaseView {
  const { at, by: _by, command: _command, cause: _cause, comment: _comment, ...rest } = message
  return { ...rest, changedAt: at }
}

export function stepOf(message: CaseMessage): CaseStep {
  const { sequence, change, at, by, cause, comment, severity, assignee, verdict, links } = message
  return { sequence, change, at, by, cause, comment, severity, assignee, verdict, links }
}

/**
 * Windows of a case's device: from `beforeMs` before the one that opened it, the newest revision of each, oldest first. Where there are too many
 * for a chart, those nearest to that one before it, and the first after it.
 */
export async function readCaseWindows(
  read: ReadSlowly,
  of: CaseView,
  beforeMs: number,
): Promise<{ readonly windows: CaseWindow[]; readonly isCut: boolean }> {
  const windows = new Map<number, CaseWindow>()
  const untilMs = (of.resolvedAt ?? Number.POSITIVE_INFINITY) + beforeMs
  const fromTimeMs = of.openedAt - beforeMs
  const openingMs = of.evidence[0]?.windowEnd ?? of.from
  const isCut = await read({ topic: 'alert-signals', deviceId: of.deviceId, fromTimeMs }, (record) => {
    if (record.appendTimeMs > untilMs) return 'enough'
    if (record.key !== of.deviceId) return 'go-on'
    const signal = readRecord(Buffer.from(record.value).toString(), isAlertSignal)
    if (typeof signal === 'string') return 'go-on'
    const { windowEnd, probability, status } = signal
    // What was read in, or came late, lies days back.
    if (windowEnd < openingMs - beforeMs) return 'go-on'
    windows.set(windowEnd, { windowEnd, probability, high: status === 'High risk of failure' })
    return 'go-on'
  })
  const sorted = [...windows.values()].sort((a, b) => a.windowEnd - b.windowEnd)
  const afterOpening = sorted.findIndex(({ windowEnd }) => windowEnd > openingMs)
  const opened = afterOpening < 0 ? sorted.length : afterOpening
  const first = Math.max(0, opened - windowsUpToOpeningMax)
  const shown = sorted.slice(first, first + windowsMax)
  return { windows: shown, isCut: isCut || shown.length < sorted.length }
}

/** Cases as their last messages left them, of a folder that no plant writes to; without those that a plant would remember no longer. */
export function readCases(directory: string): CaseView[] {
  const last = new Map<string, CaseView>()
  const reader = openTopicReader({ directory, topic: 'cases' })
  try {
    for (const { value } of reader) {
      const message = readRecord(Buffer.from(value).toString(), isCaseMessage)
      if (typeof message === 'object') last.set(message.caseId, viewOf(message))
    }
  } finally {
    reader.close()
  }
  const cases = [...last.values()]
  // A plant that stands still ages nobody: the time is that of the last change.
  const newestMs = cases.reduce((newest, { changedAt }) => Math.max(newest, changedAt), 0)
  const { resolvedKeptMs } = defaultCaseRules
  return cases.filter(({ resolvedAt }) => resolvedAt === null || resolvedAt > newestMs - resolvedKeptMs)
}
