import type {
  AlertClearCause,
  AlertSeverity,
  CaseChange,
  CaseCommand,
  CaseRefusal,
  CaseStatus,
  CaseVerdict,
  CaseView,
} from '@millwright/core'

/** What the gateway needs of the plant's cases. */
export interface CaseDesk {
  /** `null` where nobody watches, or nothing is known yet: so soon after a start. */
  list(query: CaseQuery): CaseList | null
  /**
   * `null` where there is no such case, as far back as its topic is kept.
   *
   * @throws An error with `retry: 'later'` when it cannot be told how the case stands.
   */
  show(caseId: string): Promise<CaseDetail | null>
  /** Raw channels around what raised a case; `null` where there is no such case. @throws As {@link show}. */
  channels(caseId: string): Promise<CaseChannels | null>
  /**
   * Puts a command, checked before, onto its topic, and waits a while for what becomes of it.
   *
   * @throws An error with `retry: 'later'` when it is not on stable storage.
   */
  command(command: CaseCommand): Promise<CaseCommandAnswer>
}

export interface CaseQuery {
  /** `unresolved`: open and acknowledged; `null`: any. */
  readonly status: CaseStatus | 'unresolved' | null
  readonly deviceId: string | null
  readonly severity: AlertSeverity | null
  readonly offset: number
  readonly limit: number
}

/** Cases in the order in which they want attention, and how many there are. */
export interface CaseList {
  readonly cases: readonly CaseView[]
  /** That the query finds, on all pages. */
  readonly total: number
  /** Of all cases that are remembered: those that are not resolved, and those resolved in the last 30 days. */
  readonly counts: Readonly<Record<CaseStatus, number>>
  /** Append time up to which they are known, epoch milliseconds; `null` where that is not known, or nobody watches while it is asked. */
  readonly asOf: number | null
  /** Whether what came since then is still to be read, more than two minutes of it: cases may be missing, or be no more. */
  readonly isBehind: boolean
}

/** A case, what became of it, and the windows around it. */
export interface CaseDetail {
  readonly case: CaseView
  /** Oldest first. */
  readonly history: readonly CaseStep[]
  /** Windows of its device from some hours before it was opened, oldest first; where there are too many, those nearest to the one that opened it. */
  readonly windows: readonly CaseWindow[]
  /** Whether there was more than is read or shown at once: later changes, or windows, may then be missing. */
  readonly isCut: boolean
}

/** One change of a case, as its page lists them. */
export interface CaseStep {
  readonly sequence: number
  readonly change: CaseChange
  readonly at: number
  readonly by: string | null
  readonly cause: AlertClearCause | null
  readonly comment: string | null
  readonly severity: AlertSeverity
  readonly assignee: string | null
  readonly verdict: CaseVerdict | null
  readonly links: readonly string[]
}

export interface CaseWindow {
  readonly windowEnd: number
  readonly probability: number
  readonly high: boolean
}

/** Readings of a device, drawn together: for each channel and slice of time the least, mean and greatest value. */
export interface CaseChannels {
  /** Event time, epoch milliseconds. */
  readonly from: number
  readonly to: number
  readonly sliceMs: number
  readonly channels: readonly {
    readonly name: string
    readonly unit: string
    /** `[start, least, mean, greatest]`; slices without a value are left out. */
    readonly slices: readonly (readonly [number, number, number, number])[]
  }[]
  readonly isCut: boolean
}

export type CaseCommandAnswer =
  | { readonly kind: 'applied'; readonly case: CaseView }
  | { readonly kind: 'refused'; readonly reason: CaseRefusal }
  /** It is on stable storage, and nothing has become of it yet. */
  | { readonly kind: 'pending' }
