import type { Duration } from './duration.ts'

/** A window as a project writes it. */
export type WindowSetting =
  | { readonly kind: 'tumbling'; readonly size: Duration }
  | { readonly kind: 'hopping'; readonly size: Duration; readonly slide: Duration }
  | { readonly kind: 'session'; readonly gap: Duration }
  | { readonly kind: 'per-reading' }

/** Windows side by side: `tumbling('5 min')` gives [12:00, 12:05), [12:05, 12:10), … aligned to the epoch. */
export const tumbling = (size: Duration): WindowSetting => ({ kind: 'tumbling', size })

/** Windows that overlap: `hopping({ size: '10 min', slide: '5 min' })` gives [12:00, 12:10), [12:05, 12:15), … */
export const hopping = (options: { readonly size: Duration; readonly slide: Duration }): WindowSetting => ({
  kind: 'hopping',
  ...options,
})

/** One window per burst of activity: it ends when no reading came for `gap`. */
export const session = (options: { readonly gap: Duration }): WindowSetting => ({ kind: 'session', ...options })

/** Each accepted reading is scored by itself, at once: quality inspection. */
export const perReading = (): WindowSetting => ({ kind: 'per-reading' })
