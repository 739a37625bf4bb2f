import type { AlertRules, CleaningRule, FeatureNode, Plan, TimeRules, WindowNode } from '@millwright/core'

/** What of a plan a test cares about; the rest is the product's default. */
export interface PlanSketch {
  /** Channel names. */
  readonly channels?: readonly string[]
  readonly window?: WindowNode
  readonly features?: Readonly<Record<string, FeatureNode>>
  readonly cleaning?: readonly CleaningRule[]
  readonly time?: Partial<TimeRules>
  /** Alert threshold of the policy; `null`: the package's. */
  readonly threshold?: number | null
  readonly whyMax?: number
  /** What the policy says beyond one threshold; none by default. */
  readonly alertRules?: AlertRules
}

/** The product's defaults of time: docs/guide/time.md. */
export const defaultTime: TimeRules = {
  timestamp: 'event',
  graceMs: 5000,
  allowedLatenessMs: 0,
  maxJumpMs: 86_400_000,
  maxClockAheadMs: 300_000,
  silentAfterMs: 600_000,
  forgetAfterMs: 30 * 86_400_000,
  devicesMax: 1_000_000,
}

/** Makes a plan by hand: plain data, unchecked. By default the mean of one channel, `x`, in tumbling windows of 10 s. */
export function planOf(sketch: PlanSketch = {}): Plan {
  const channels = sketch.channels ?? ['x']
  const features = sketch.features ?? { mean: { kind: 'aggregate', statistic: 'mean', channel: channels[0] ?? 'x' } }
  return {
    kind: 'plan',
    name: 'test',
    channels: channels.map((name) => ({ name, unit: '1', kind: 'gauge', min: null, max: null })),
    cleaning: sketch.cleaning ?? [],
    window: sketch.window ?? { kind: 'tumbling', sizeMs: 10_000 },
    features: Object.entries(features).map(([name, node]) => ({ name, unit: '1', node })),
    model: { name: 'risk', trustedKeys: [] },
    alert: {
      threshold: sketch.threshold ?? null,
      whyMax: sketch.whyMax ?? 3,
      ...(sketch.alertRules === undefined ? {} : { rules: sketch.alertRules }),
    },
    time: { ...defaultTime, ...sketch.time },
    partitionCount: 1,
    sources: [],
    sinks: [],
    notify: [],
    retention: { readingsMs: 86_400_000, outputsMs: 86_400_000, diskBytesMax: 1_000_000_000 },
    heartbeat: null,
    lines: [],
    csv: null,
  }
}
