export {
  CaseBook,
  type CaseBookOptions,
  type CaseBookState,
  type CaseChanges,
  type CaseMark,
  type CaseOutput,
  type CaseRules,
  type CommandOutcome,
  defaultCaseRules,
  type RefusedCommand,
} from './cases/case-book.ts'
export type { CaseReport, OpenCases } from './cases/case-report.ts'
export type { CaseTotals } from './cases/case-totals.ts'
export { caseView, type WatchedCase } from './cases/watched-case.ts'
export { byEffect, type ColumnDrift, type DriftBounds } from './drift/compare-columns.ts'
export {
  type DriftCounters,
  type DriftFinding,
  DriftMonitor,
  type DriftReport,
  type DriftRules,
  type DriftState,
  defaultDriftRules,
  driftComparison,
} from './drift/drift-monitor.ts'
export {
  type BaselineHistogram,
  type DriftReference,
  meanAbsoluteContributions,
  probabilityColumn,
  type ReferenceFeature,
} from './drift/drift-reference.ts'
export type { Persistence } from './drift/persistence.ts'
export { type Calibration, calibrate, fitCalibration } from './estimate/calibration.ts'
export {
  type Estimate,
  type EstimatedPerformance,
  estimatePerformance,
  type PredictedGroup,
} from './estimate/estimated-performance.ts'
export type { CalibrationPoint } from './estimate/isotonic.ts'
export {
  PredictionPeriods,
  type PredictionPeriodsOptions,
  type PredictionPeriodsState,
} from './estimate/prediction-periods.ts'
export { type DistrustReason, distrust, distrustReasons } from './estimate/trust.ts'
export {
  type ChannelQuality,
  DataQuality,
  type DataQualityState,
  type DeviceQuality,
  defaultQualityRules,
  type QualityTotals,
} from './quality/data-quality.ts'
export { type QualityRules, type WatchedChannel, watchedChannels } from './quality/quality-plan.ts'
export { benjaminiHochberg } from './statistics/benjamini-hochberg.ts'
export {
  binnedKolmogorovSmirnov,
  type KolmogorovSmirnov,
  kolmogorovSmirnov,
} from './statistics/kolmogorov-smirnov.ts'
export type { Median } from './statistics/median.ts'
export { populationStability } from './statistics/population-stability.ts'
export { f1Score, type Proportion, proportion } from './statistics/proportion.ts'
export { type BinnedValues, binnedWasserstein, wasserstein } from './statistics/wasserstein.ts'
export {
  defaultVerdictRules,
  type VerdictCounters,
  VerdictJoin,
  type VerdictJoinState,
  type VerdictReport,
  type VerdictRules,
} from './verdicts/verdict-join.ts'
export type { ModelPerformance, ReliabilityBand } from './verdicts/verdict-report.ts'
export { PlantWatch, type PlantWatchOptions, type PlantWatchPieces, type PlantWatchState } from './watch/plant-watch.ts'
export { isAlertSignal } from './watch/record-shape.ts'
export {
  checkedTopics,
  type RecordRefusal,
  type RefusedRecords,
  readRecord,
  recordRefusals,
} from './watch/refused-records.ts'
export type {
  MachineQuality,
  MachineReport,
  ModelDrift,
  ModelEstimate,
  ModelMachineDrift,
  ModelWatchReport,
  QualityReport,
  WatchReport,
} from './watch/watch-report.ts'
export { type WatchedRecord, type WatchedTopic, watchedTopics } from './watch/watched-record.ts'
