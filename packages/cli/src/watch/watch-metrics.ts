import {
  checkedTopics,
  type Estimate,
  type ModelWatchReport,
  type Proportion,
  recordRefusals,
  type WatchReport,
} from '@millwright/monitoring'
import { caseMetrics } from '../cases/case-metrics.ts'
import type { GaugeReading } from '../plant/metrics.ts'

type Labels = Readonly<Record<string, string>>
type Value = GaugeReading['values'][number]

/** Versions that have metrics: those that scored lately. All of them are in the report. */
const versionsMax = 16

/** How the watcher itself is. */
export interface WatcherView {
  readonly report: WatchReport | null
  readonly readUpToMs: number | null
  readonly cpuSeconds: number
  readonly isRunning: boolean
  readonly failures: number
}

/**
 * What is known of models and readings, as metrics. Labels are model versions, features and channels, never machines: their number
 * has a bound. A number that is not known has no sample.
 *
 * @param logTimeMs Append time of the newest record in the log, epoch milliseconds.
 */
export function watchMetrics(watcher: WatcherView, logTimeMs: number): GaugeReading[] {
  const { report, readUpToMs } = watcher
  const lagMs = readUpToMs === null ? null : Math.max(0, logTimeMs - readUpToMs)
  return [
    plain('watcher_up', 'gauge', 'whether the watcher runs: 1 or 0', watcher.isRunning ? 1 : 0),
    plain('watcher_failures_total', 'counter', 'times that the watcher failed, since the start', watcher.failures),
    plain('watcher_cpu_seconds_total', 'counter', 'CPU time of the watcher, since its start', watcher.cpuSeconds),
    ...(lagMs === null
      ? []
      : [plain('watcher_lag_seconds', 'gauge', 'how far the watcher is behind the log, by append time', lagMs / 1000)]),
    ...(report === null
      ? []
      : [
          ...recordMetrics(report),
          ...modelMetrics(report),
          ...driftMetrics(report),
          ...qualityMetrics(report),
          ...caseMetrics(report.cases, logTimeMs),
        ]),
  ]
}

function recordMetrics({ records, refused, verdicts }: WatchReport): GaugeReading[] {
  const outcomes = {
    accepted: verdicts.verdictsAccepted,
    duplicate: verdicts.verdictsDuplicate,
    superseded: verdicts.verdictsSuperseded,
    'too-late': verdicts.verdictsTooLate,
    forgotten: verdicts.verdictsForgotten,
    refused: verdicts.verdictsRefused,
  }
  return [
    {
      ...counter('watcher_records_total', 'records that the watcher took'),
      values: Object.entries(records).map(([topic, value]) => ({ labels: { topic }, value })),
    },
    {
      ...counter('watcher_records_refused_total', 'records passed over, since they are none of their topic'),
      // Those that never came have a sample: of a series that begins with its first record no increase is seen.
      values: checkedTopics.flatMap((topic) =>
        recordRefusals.map((reason) => ({ labels: { topic, reason }, value: refused[topic]?.[reason] ?? 0 })),
      ),
    },
    {
      ...counter('verdicts_total', 'verdicts read, by what became of them'),
      values: Object.entries(outcomes).map(([outcome, value]) => ({ labels: { outcome }, value })),
    },
    plain(
      'watcher_windows_forgotten_total',
      'counter',
      'predictions that fell out of memory before they were settled',
      verdicts.windowsForgotten,
    ),
  ]
}

function modelMetrics(report: WatchReport): GaugeReading[] {
  const models = watchedModels(report)
  const gauge = (name: string, help: string, read: (model: ModelWatchReport) => number | null): GaugeReading => ({
    name,
    help,
    values: models.flatMap((model) => sample(labelsOf(model), read(model))),
  })
  const share = (name: string, help: string, read: (model: ModelWatchReport) => Proportion): GaugeReading =>
    gauge(name, help, (model) => read(model).value)
  const judged = (
    name: string,
    help: string,
    read: (model: ModelWatchReport) => Readonly<Record<string, number>>,
  ): GaugeReading => ({
    name,
    help,
    values: models.flatMap((model) =>
      Object.entries(read(model)).map(([verdict, value]) => ({ labels: { ...labelsOf(model), verdict }, value })),
    ),
  })
  const estimated = (
    name: string,
    help: string,
    read: (estimate: NonNullable<ModelWatchReport['estimate']>) => Estimate,
  ): GaugeReading => gauge(name, help, ({ estimate }) => (estimate === null ? null : read(estimate).value))
  return [
    {
      ...gauge(
        'false_alerts_total',
        'verdicts that became a false alarm, by the version that they name',
        (model) => model.falseAlertsTotal,
      ),
      kind: 'counter',
    },
    {
      name: 'model_predictions',
      help: 'windows of seven days, by how they were judged and the tenth of the probability that begins there',
      values: models.flatMap((model) =>
        (model.estimate?.predictions ?? []).map(({ high, tenth, windowCount }) => ({
          labels: { ...labelsOf(model), status: high ? 'high' : 'normal', from: `0.${tenth}` },
          value: windowCount,
        })),
      ),
    },
    judged('model_windows', 'windows, by what verdicts say of them', ({ windows }) => ({
      'true-positive': windows.truePositive,
      'false-positive': windows.falsePositive,
      'true-negative': windows.trueNegative,
      'false-negative': windows.falseNegative,
      'unjudged-high': windows.unjudgedHigh,
      'pending-normal': windows.pendingNormal,
      unclear: windows.unclear,
    })),
    judged('model_alarms', 'alarms, by what verdicts say of them', ({ events }) => ({ ...events })),
    judged('model_failures', 'failures reported, by whether an alarm came before', ({ failures }) => ({ ...failures })),
    {
      name: 'model_interval',
      help: 'ends of the 95 % interval of a share that has a metric of its own',
      values: models.flatMap((model) =>
        Object.entries(intervalsOf).flatMap(([of, read]) => {
          const { low, high } = read(model)
          return [
            ...sample({ ...labelsOf(model), of, bound: 'low' }, low),
            ...sample({ ...labelsOf(model), of, bound: 'high' }, high),
          ]
        }),
      ),
    },
    share(
      'model_accuracy',
      'of windows whose truth is known or presumed, those judged right',
      ({ accuracy }) => accuracy,
    ),
    share(
      'model_precision',
      'of high-risk windows with a verdict, those that were failing',
      ({ precision }) => precision,
    ),
    share('model_recall', 'of failing windows, those at high risk', ({ recall }) => recall),
    share('model_f1', 'harmonic mean of precision and recall', ({ f1 }) => f1),
    share(
      'model_false_positive_rate',
      'of healthy windows, those at high risk, as if no unjudged alarm were false',
      ({ falsePositiveRate }) => falsePositiveRate,
    ),
    share(
      'model_false_positive_rate_at_most',
      'the same, as if every unjudged alarm were false',
      ({ falsePositiveRateAtMost }) => falsePositiveRateAtMost,
    ),
    share(
      'model_event_precision',
      'of judged alarms, those that were a failure',
      ({ eventPrecision }) => eventPrecision,
    ),
    share(
      'model_failure_recall',
      'of failures reported, those that an alarm came before',
      ({ failureRecall }) => failureRecall,
    ),
    share(
      'model_unjudged_ratio',
      'of alarms, those without a verdict',
      ({ shareWithoutVerdict }) => shareWithoutVerdict,
    ),
    gauge('model_lead_time_seconds', 'median from the first alarm to the failure', ({ leadMinutes }) =>
      leadMinutes.value === null ? null : leadMinutes.value * 60,
    ),
    estimated(
      'model_estimated_accuracy',
      'accuracy over seven days, estimated without verdicts',
      ({ accuracy }) => accuracy,
    ),
    estimated(
      'model_estimated_precision',
      'precision over seven days, estimated without verdicts',
      ({ precision }) => precision,
    ),
    estimated('model_estimated_recall', 'recall over seven days, estimated without verdicts', ({ recall }) => recall),
    gauge('model_estimate_trusted', 'whether nothing speaks against the estimate: 1 or 0', ({ estimate }) =>
      estimate === null ? null : Number(estimate.distrust.length === 0),
    ),
  ]
}

/** Those of whose shares an interval says how much they are worth. */
const intervalsOf: Readonly<Record<string, (model: ModelWatchReport) => Pick<Proportion, 'low' | 'high'>>> = {
  accuracy: ({ accuracy }) => accuracy,
  precision: ({ precision }) => precision,
  recall: ({ recall }) => recall,
  f1: ({ f1 }) => f1,
  'false-positive-rate': ({ falsePositiveRate }) => falsePositiveRate,
  'event-precision': ({ eventPrecision }) => eventPrecision,
  'failure-recall': ({ failureRecall }) => failureRecall,
  'estimated-accuracy': ({ estimate }) => estimate?.accuracy ?? notKnown,
  'estimated-precision': ({ estimate }) => estimate?.precision ?? notKnown,
  'estimated-recall': ({ estimate }) => estimate?.recall ?? notKnown,
}
const notKnown = { low: null, high: null }

function driftMetrics(report: WatchReport): GaugeReading[] {
  const models = watchedModels(report)
  const column = (
    name: string,
    help: string,
    read: (drift: NonNullable<NonNullable<ModelWatchReport['drift']>['fleet']>['columns'][number]) => number,
  ): GaugeReading => ({
    name,
    help,
    values: models.flatMap((model) =>
      (model.drift?.fleet?.columns ?? []).map((drift) => ({
        labels: { ...labelsOf(model), feature: drift.column },
        value: read(drift),
      })),
    ),
  })
  return [
    column('drift_psi', 'population stability index of the last judged day, against training', ({ psi }) => psi),
    column('drift_distance', 'Kolmogorov-Smirnov distance of the last judged day, 0 to 1', ({ distance }) => distance),
    column('drift_p_value', 'of the distance, adjusted over the features', ({ pValue }) => pValue),
    column(
      'drift_effect',
      'population stability index times the share in what moves the model',
      ({ effect }) => effect,
    ),
    column(
      'drift_outside_training_ratio',
      'of values, those beyond what training saw',
      ({ outsideShare }) => outsideShare,
    ),
    column('drift_alarm', 'whether the drift alarm of the fleet stands: 1 or 0', ({ alarmed }) => Number(alarmed)),
    {
      name: 'drift_machines_alarmed',
      help: 'machines whose own drift alarm stands',
      values: models.flatMap((model) =>
        Object.entries(model.drift?.machinesAlarmed ?? {}).map(([feature, value]) => ({
          labels: { ...labelsOf(model), feature },
          value,
        })),
      ),
    },
  ]
}

function qualityMetrics({ quality }: WatchReport): GaugeReading[] {
  const { totals, machines, machinesSilent } = quality
  const perChannel = (
    name: string,
    help: string,
    read: (channel: (typeof totals.channels)[number]) => number | null,
  ): GaugeReading => ({
    ...counter(name, help),
    values: totals.channels.flatMap((channel) => sample({ channel: channel.channel }, read(channel))),
  })
  return [
    plain('quality_windows_total', 'counter', 'windows looked at', totals.windows),
    perChannel(
      'quality_missing_windows_total',
      'windows in which no value of the channel came',
      ({ missingWindows }) => missingWindows,
    ),
    perChannel(
      'quality_out_of_range_windows_total',
      'windows with a level beyond what is possible',
      ({ outOfRangeWindows }) => outOfRangeWindows,
    ),
    perChannel(
      'quality_flat_windows_total',
      'windows at the end of a long row without any change',
      ({ flatWindows }) => flatWindows,
    ),
    plain(
      'quality_short_windows_total',
      'counter',
      'windows with under half of the usual readings',
      totals.shortWindows,
    ),
    plain('quality_long_windows_total', 'counter', 'windows with over twice the usual readings', totals.longWindows),
    {
      ...counter('quality_refused_total', 'readings refused whose machine is known'),
      values: [
        { labels: { of: 'clock-ahead' }, value: totals.clockAhead },
        { labels: { of: 'clock-unreadable' }, value: totals.clockUnreadable },
        { labels: { of: 'other' }, value: totals.otherRefusals },
      ],
    },
    plain('quality_silences_total', 'counter', 'times that a machine fell silent', totals.silences),
    plain('machines', 'gauge', 'machines that are watched', machines),
    plain('machines_silent', 'gauge', 'machines that are silent now', machinesSilent),
  ]
}

function watchedModels({ models }: WatchReport): ModelWatchReport[] {
  return models
    .filter(({ estimate }) => estimate !== null)
    .sort((a, b) => (b.estimate?.to ?? 0) - (a.estimate?.to ?? 0))
    .slice(0, versionsMax)
}

function labelsOf({ model }: ModelWatchReport): Labels {
  return { model: model.name, version: model.version }
}

function sample(labels: Labels, value: number | null): Value[] {
  return value === null ? [] : [{ labels, value }]
}

function counter(name: string, help: string): Pick<GaugeReading, 'name' | 'help' | 'kind'> {
  return { name, help, kind: 'counter' }
}

function plain(name: string, kind: 'counter' | 'gauge', help: string, value: number): GaugeReading {
  return { name, help, kind, values: [{ labels: {}, value }] }
}
