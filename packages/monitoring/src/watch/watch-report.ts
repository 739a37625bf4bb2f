import type { ModelName } from '@millwright/core'
import type { CaseReport } from '../cases/case-report.ts'
import type { DriftFinding, DriftReport, MachineDriftReport } from '../drift/drift-monitor.ts'
import type { Calibration } from '../estimate/calibration.ts'
import type { EstimatedPerformance } from '../estimate/estimated-performance.ts'
import type { DistrustReason } from '../estimate/trust.ts'
import type { DeviceQuality, QualityTotals } from '../quality/data-quality.ts'
import type { StoredVerdict } from '../verdicts/stored-verdict.ts'
import type { VerdictCounters } from '../verdicts/verdict-join.ts'
import type { ModelPerformance } from '../verdicts/verdict-report.ts'
import type { RefusedRecords } from './refused-records.ts'
import type { WatchedTopic } from './watched-record.ts'

/** Everything that the topics say about the models and the readings of a plant, up to a place in them. */
export interface WatchReport {
  /** Append time of the newest record taken, epoch milliseconds; `null` before the first. */
  readonly readUpTo: number | null
  /** Greatest window end seen, epoch milliseconds of event time; `null` before the first. */
  readonly newestWindowEnd: number | null
  /** Records taken since the first, by topic. */
  readonly records: Readonly<Record<WatchedTopic, number>>
  /** Those among them that were passed over, since they are no records of their topics. */
  readonly refused: RefusedRecords
  /** In order of name, then version. */
  readonly models: readonly ModelWatchReport[]
  readonly verdicts: Readonly<VerdictCounters>
  /** Drift alarms raised and cleared, the newest first; at most fifty. */
  readonly findings: readonly DriftFinding[]
  readonly quality: QualityReport
  readonly cases: CaseReport
}

/** What is known of one model version. */
export interface ModelWatchReport extends ModelPerformance {
  /** `null` where none of its predictions is among the periods kept. */
  readonly estimate: ModelEstimate | null
  /** `null` where its baseline is not at hand, or another version's monitor took its place. */
  readonly drift: ModelDrift | null
}

/** Performance estimated without labels. */
export interface ModelEstimate extends EstimatedPerformance {
  /** The periods that it is about, epoch milliseconds of event time; at most the newest seven with predictions. */
  readonly from: number
  readonly to: number
  readonly calibration: Calibration['kind']
  /** What speaks against it; it may be believed where nothing does. */
  readonly distrust: readonly DistrustReason[]
  /** How its windows were judged, by tenths of the probability; those without a window are left out. */
  readonly predictions: readonly PredictedShare[]
}

/** Windows that were judged alike, at about one probability. */
export interface PredictedShare {
  readonly high: boolean
  /** 0..9: the probability is from a tenth of it up to the next; 1 belongs to the last. */
  readonly tenth: number
  readonly windowCount: number
}

export interface ModelDrift {
  /** The fleet's last judged period, ordered by effect on the model; `null` before the first. */
  readonly fleet: DriftReport | null
  /** Machines whose alarm stands, by column; columns without any are left out. */
  readonly machinesAlarmed: Readonly<Record<string, number>>
  readonly windows: number
  readonly fleetPeriodsJudged: number
  readonly devicePeriodsJudged: number
  readonly alarmsRaised: number
}

export interface QualityReport {
  readonly machines: number
  readonly machinesSilent: number
  /** Records of machines too many. */
  readonly machinesRefused: number
  readonly totals: QualityTotals
  /** Machines with something wrong in their last whole period (their present one before that), the worst first; at most twenty. */
  readonly worst: readonly MachineQuality[]
}

export interface MachineQuality {
  readonly deviceId: string
  /** Start of the period, event time; `null` before the first window. */
  readonly periodStart: number | null
  readonly windows: number
  /** What was found, as counts; only what is not 0. `missing temperature` and the like name the channel. */
  readonly found: Readonly<Record<string, number>>
}

/** Drift of one machine, under one model version. */
export interface ModelMachineDrift extends MachineDriftReport {
  readonly model: ModelName
}

/** What the topics say of one machine. */
export interface MachineReport {
  readonly deviceId: string
  /** Append time of the newest record taken of whatever machine, epoch milliseconds. */
  readonly readUpTo: number | null
  /** Its last whole period (`null` before it) and the one that goes on; `null` where nothing came of it. */
  readonly quality: { readonly last: DeviceQuality | null; readonly now: DeviceQuality } | null
  /** Of each version that knows it, the one that scored last first; at most four. */
  readonly drift: readonly ModelMachineDrift[]
  /** What people said of it in the last months, the latest span first, withdrawn verdicts among it. */
  readonly verdicts: readonly StoredVerdict[]
}
