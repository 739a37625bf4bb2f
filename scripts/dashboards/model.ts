import { type Dashboard, lines, number, query } from './panels.ts'

const gauge = (metric: string): string => `${metric}{instance=~"$instance"}`
const version = '{{version}}'

/** Is the model right, and is it still right. */
export const model: Dashboard = {
  uid: 'millwright-model',
  title: 'Millwright: model',
  rows: [
    {
      title: 'In force',
      panels: [
        number(
          'Since',
          'When the model in force came into force.',
          'dateTimeFromNow',
          query(
            '1000 * millwright_model_active_from_timestamp_seconds{instance=~"$instance"}',
            '{{model}} {{version}}',
          ),
        ),
        number(
          'False alarms',
          'By the verdicts of people, ever.',
          'short',
          query(gauge('millwright_false_alerts_total'), version),
        ),
        number(
          'Alarms without a verdict',
          'Share.',
          'percentunit',
          query(gauge('millwright_model_unjudged_ratio'), version),
        ),
        number(
          'Estimate can be trusted',
          'Nothing speaks against it.',
          'bool_yes_no',
          query(gauge('millwright_model_estimate_trusted'), version),
        ),
        number(
          'Drift alarms',
          'Features whose alarm stands.',
          'short',
          query('sum by (instance, version) (millwright_drift_alarm{instance=~"$instance"})', version),
        ),
        number('Watcher behind', 'What is said here is so old.', 's', query(gauge('millwright_watcher_lag_seconds'))),
      ],
    },
    {
      title: 'Answers',
      panels: [
        lines(
          'Windows scored',
          'A second, by what was answered.',
          'short',
          query('sum(rate(millwright_alerts_high_total{instance=~"$instance"}[$__rate_interval]))', 'high risk'),
          query('sum(rate(millwright_alerts_normal_total{instance=~"$instance"}[$__rate_interval]))', 'normal'),
          query('sum(rate(millwright_windows_unscored_total{instance=~"$instance"}[$__rate_interval]))', 'not scored'),
        ),
        lines(
          'Verdicts',
          'Read, by what became of them.',
          'short',
          query(gauge('millwright_verdicts_total'), '{{outcome}}'),
        ),
        lines(
          'False alarms in a week',
          'By the verdicts of people.',
          'short',
          query(
            'sum by (instance, version) (increase(millwright_false_alerts_total{instance=~"$instance"}[7d]))',
            version,
          ),
        ),
      ],
    },
    {
      title: 'By verdicts',
      panels: [
        lines(
          'Alarms that were failures',
          'Precision, by event.',
          'percentunit',
          query(gauge('millwright_model_event_precision'), version),
        ),
        lines(
          'Failures that an alarm came before',
          'Recall, by failure.',
          'percentunit',
          query(gauge('millwright_model_failure_recall'), version),
        ),
        lines('Windows judged right', 'Accuracy.', 'percentunit', query(gauge('millwright_model_accuracy'), version)),
        lines(
          'Healthy windows at high risk',
          'False positive rate: as it is known, and as if every unjudged alarm were false.',
          'percentunit',
          query(gauge('millwright_model_false_positive_rate'), `known ${version}`),
          query(gauge('millwright_model_false_positive_rate_at_most'), `at most ${version}`),
        ),
        lines(
          'Warning time',
          'Median from the first alarm to the failure.',
          's',
          query(gauge('millwright_model_lead_time_seconds'), version),
        ),
      ],
    },
    {
      title: 'Without verdicts',
      panels: [
        lines(
          'Estimated accuracy',
          'Over seven days; trust it only where that is said.',
          'percentunit',
          query(gauge('millwright_model_estimated_accuracy'), version),
        ),
        lines(
          'Estimated precision and recall',
          'Over seven days.',
          'percentunit',
          query(gauge('millwright_model_estimated_precision'), `precision ${version}`),
          query(gauge('millwright_model_estimated_recall'), `recall ${version}`),
        ),
        lines(
          'Drift',
          'Population stability index against training; 0.2 is worth a look.',
          'short',
          query(gauge('millwright_drift_psi'), '{{feature}} {{version}}'),
        ),
        lines(
          'Drift that moves the model',
          'The index times what the feature weighs.',
          'short',
          query(gauge('millwright_drift_effect'), '{{feature}} {{version}}'),
        ),
        lines(
          'Beyond training',
          'Share of values that training never saw.',
          'percentunit',
          query(gauge('millwright_drift_outside_training_ratio'), '{{feature}} {{version}}'),
        ),
        lines(
          'Cost of watching',
          'Cores used by the watcher.',
          'short',
          query('rate(millwright_watcher_cpu_seconds_total{instance=~"$instance"}[$__rate_interval])'),
        ),
      ],
    },
  ],
}
