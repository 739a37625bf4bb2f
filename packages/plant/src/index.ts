export type { AlertPolicySettings, AlertSettings, MuteSettings } from './alert-settings.ts'
export { definePlant } from './define-plant.ts'
export { describePlan } from './describe-plan.ts'
export { type Duration, durationMs, formatDuration } from './duration.ts'
export {
  count,
  countOf,
  crestFactor,
  custom,
  derived,
  difference,
  exponentialMean,
  type Feature,
  first,
  hoursSince,
  kurtosis,
  lag,
  last,
  max,
  mean,
  min,
  quantile,
  range,
  rms,
  rolling,
  skewness,
  slope,
  std,
} from './features.ts'
export type {
  AlertmanagerSetting,
  EmailSetting,
  KafkaSetting,
  MqttSetting,
  NotifySetting,
  WebhookSetting,
} from './notify-settings.ts'
export type { ChannelSetting, CleaningSetting, CsvSettings, PlantSettings, TimeSettings } from './settings.ts'
export { hopping, perReading, session, tumbling, type WindowSetting } from './windows.ts'
