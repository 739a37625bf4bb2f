/** How grave a message of the log is. */
export type LogLevel = 'info' | 'warn' | 'error'

/** Every message of `millwright run`, by its permanent code. docs/guide/logs.md says what each means. */
export const logCodes = {
  PLANT_LISTENS: 'info',
  PLANT_READY: 'info',
  PLANT_STOPPED: 'info',
  PLANT_RECOVERED: 'warn',
  MODEL_IN_FORCE: 'info',
  MODEL_MISSING: 'warn',
  PARTITION_STALLED: 'error',
  PARTITION_GOES_ON: 'info',
  CHANNEL_AWAY: 'warn',
  CHANNEL_STOPPED: 'error',
  CHANNEL_BACK: 'info',
  NOTIFICATION_PARKED: 'warn',
  FILE_RESUMED: 'info',
  FILES_READ: 'info',
  REQUEST_FAILED: 'error',
  ALERT_FILE_FAILED: 'warn',
  WATCHER_FAILED: 'warn',
  WATCHER_NOT_SAVED: 'warn',
  WATCHER_AWAY: 'warn',
  WATCHER_BACK: 'info',
  CASES_NOT_WRITTEN: 'warn',
  CASES_TAKEN_OVER: 'info',
  CASES_TAKEN_BACK: 'info',
  HEARTBEAT_OFF: 'warn',
} as const satisfies Readonly<Record<string, LogLevel>>

export type LogCode = keyof typeof logCodes

/** Says something to whoever runs the plant. `details` is for machines: it is in JSON only. */
export type Say = (code: LogCode, text: string, details?: Readonly<Record<string, unknown>>) => void
