import type { WatchedChannel } from './quality-plan.ts'

/** What the features of one window say of a channel. */
export interface ChannelWindow {
  readonly isMissing: boolean
  /** Whether a level is outside what is physically possible. */
  readonly isOutOfRange: boolean
  /** The first feature that is a level; NaN where none has a value. */
  readonly level: number
  /** The greatest of the features that are spreads; NaN where none has a value. */
  readonly spread: number
}

export function channelWindow(
  { min, max, evidence }: WatchedChannel,
  features: Readonly<Record<string, number | null>>,
): ChannelWindow {
  let isMissing = true
  let isOutOfRange = false
  let level = Number.NaN
  let spread = Number.NaN
  for (const { feature, of } of evidence) {
    const value = features[feature] ?? null
    if (value === null) continue
    isMissing = false
    if (of === 'spread') spread = Number.isNaN(spread) ? value : Math.max(spread, value)
    else {
      if (Number.isNaN(level)) level = value
      if ((min !== null && value < min) || (max !== null && value > max)) isOutOfRange = true
    }
  }
  return { isMissing, isOutOfRange, level, spread }
}

/** Whether nothing moved: no spread, or none that is known, at the level of the window before. */
export function isUnchanged({ level, spread }: ChannelWindow, levelBefore: number): boolean {
  if (Number.isNaN(spread)) return level === levelBefore
  return spread === 0 && (level === levelBefore || Number.isNaN(level) || Number.isNaN(levelBefore))
}
