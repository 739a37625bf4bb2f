import type { CleaningRule, FeatureNode, Plan, TimeRules, WindowNode } from '@millwright/core'
import {
  accumulatorLayout,
  partCount,
  partExtremes,
  partFirst,
  partLast,
  partMoment2,
  partMoment3,
  partMoment4,
  partSlope,
  partSum,
  visitFeature,
} from './accumulators/layout.ts'
import { alertWindowsKept } from './alerts/alert-policies.ts'
import { hashText } from './device-event-line.ts'
import { eventTypes } from './features/device-events.ts'
import { historyColumns, windowsLookedBack } from './features/look-back.ts'
import { rawLayout } from './windows/raw-values.ts'
import { windowsKeptMax } from './windows/windows-kept.ts'

/** Version of devices' states, of their shapes too: docs/formats/device-state.md. */
export const deviceStateVersion = 1

/** What a window may keep of a channel, in the order in which it stands there; `layout.ts` has the fields of each. */
const partNames = [
  ['count', partCount],
  ['sum', partSum],
  ['moment2', partMoment2],
  ['moment3', partMoment3],
  ['moment4', partMoment4],
  ['slope', partSlope],
  ['extremes', partExtremes],
  ['first', partFirst],
  ['last', partLast],
] as const

export type PartName = (typeof partNames)[number][0]

/** A feature without its name, so that two plans' can be compared. */
export interface FeatureExpression {
  /** The feature's node as JSON, its fields in the order in which `core` declares them; users' functions left out. */
  readonly json: string
  /** FNV-1a of the source text of each user's function in it, outer ones first. Not exact: closures have equal texts. */
  readonly functions: readonly number[]
}

/**
 * Everything in a plan that gives a device's stored state its meaning, as data that JSON carries: what reads the states that
 * an earlier plan left behind. Format: docs/formats/device-state.md.
 */
export interface StateShape {
  readonly kind: 'state-shape'
  /** Of the states' bytes. */
  readonly version: number
  /** Names, in the plan's order. */
  readonly channels: readonly string[]
  readonly timestamp: 'event' | 'arrival'
  readonly window: WindowNode
  /** What each window keeps of each channel, in the order of the bytes. */
  readonly accumulators: readonly { readonly channel: string; readonly parts: readonly PartName[] }[]
  /** The raw values that each window keeps; `null`: none. */
  readonly raw: { readonly channels: readonly string[]; readonly timestamps: boolean } | null
  readonly features: readonly { readonly name: string; readonly expression: FeatureExpression }[]
  readonly history: {
    /** What each window leaves for later ones. */
    readonly columns: readonly FeatureExpression[]
    /** Most windows of a device. */
    readonly capacity: number
    /** How many windows before a window features look back on; the rest of the capacity is for windows out of order. */
    readonly lookBack: number
  }
  /** In the order of the bytes. */
  readonly eventTypes: readonly string[]
  /** How many windows' answers an alert policy keeps of a device; absent where it remembers nothing. */
  readonly alert?: { readonly windows: number }
  /** The rules of time that decide what is in a state, and what no longer is. Milliseconds. */
  readonly time: Pick<TimeRules, 'graceMs' | 'allowedLatenessMs' | 'maxClockAheadMs'>
  readonly cleaning: readonly CleaningRule[]
}

/** Returns the shape of the states that an operator with this plan writes. */
export function stateShape(plan: Plan): StateShape {
  const { timestamp, graceMs, allowedLatenessMs, maxClockAheadMs } = plan.time
  const raw = rawLayout(plan)
  const lookBack = windowsLookedBack(plan.features)
  const nameOf = (channel: number): string => plan.channels[channel]?.name as string
  return {
    kind: 'state-shape',
    version: deviceStateVersion,
    channels: plan.channels.map(({ name }) => name),
    timestamp,
    window: orderedWindow(plan.window),
    accumulators: accumulatorLayout(plan).channels.map(({ channel, parts }) => ({
      channel: nameOf(channel),
      parts: partNames.filter(([, part]) => (parts & part) !== 0).map(([name]) => name),
    })),
    raw: raw === null ? null : { channels: raw.channels.map(nameOf), timestamps: raw.timestamps },
    features: plan.features.map(({ name, node }) => ({ name, expression: expressionOf(node) })),
    history: {
      columns: historyColumns(plan.features).map(expressionOf),
      capacity: lookBack + windowsKeptMax(plan),
      lookBack,
    },
    eventTypes: eventTypes(plan),
    ...(plan.alert.rules === undefined ? {} : { alert: { windows: alertWindowsKept(plan.alert.rules) } }),
    time: { graceMs, allowedLatenessMs, maxClockAheadMs },
    cleaning: plan.cleaning.map(({ kind, name, channel, min, max, onBad }) => ({
      kind,
      name,
      channel,
      min,
      max,
      onBad,
    })),
  }
}

/**
 * Returns the number by which bytes name their shape: FNV-1a of 32 bits over a text that the format's page gives. Names of features,
 * texts of functions, `time` and `cleaning` are not in it: they do not change how the bytes are read.
 */
export function stateShapeHash(shape: StateShape): number {
  const json = (part: unknown): string => JSON.stringify(part)
  const channel = (name: string): number => shape.channels.indexOf(name)
  const fields = shape.accumulators.map((kept) => `${channel(kept.channel)}:${partsOf(kept.parts)}`).join(',')
  const raw = shape.raw === null ? '' : `${shape.raw.channels.map(channel).join(',')}:${shape.raw.timestamps}`
  const texts = [
    json(shape.channels),
    json(orderedWindow(shape.window)),
    json(shape.timestamp),
    json(`${fields};${raw}`),
    `[${shape.features.map(({ expression }) => expression.json).join(',')}]`,
    json([shape.history.columns.length, shape.history.capacity]),
    json(shape.eventTypes),
    ...(shape.alert === undefined ? [] : [json({ alert: shape.alert.windows })]),
  ]
  return hashText(`[${texts.join(',')}]`)
}

/** Returns a text that two expressions share exactly when they are equal as far as can be told. */
export function expressionKey({ json, functions }: FeatureExpression): string {
  return `${json} ${functions.join(',')}`
}

/** Returns the bit set of named parts. */
export function partsOf(names: readonly PartName[]): number {
  let parts = 0
  for (const [name, part] of partNames) if (names.includes(name)) parts |= part
  return parts
}

function orderedWindow(window: WindowNode): WindowNode {
  switch (window.kind) {
    case 'tumbling':
      return { kind: window.kind, sizeMs: window.sizeMs }
    case 'hopping':
      return { kind: window.kind, sizeMs: window.sizeMs, slideMs: window.slideMs }
    case 'session':
      return { kind: window.kind, gapMs: window.gapMs }
    case 'per-reading':
      return { kind: window.kind }
  }
}

function expressionOf(node: FeatureNode): FeatureExpression {
  const functions: number[] = []
  visitFeature(node, (inner) => {
    if (inner.kind === 'derived' || inner.kind === 'custom') functions.push(hashText(String(inner.compute)))
  })
  return { json: JSON.stringify(orderedNode(node)), functions }
}

function orderedNode(node: FeatureNode): object {
  const { kind } = node
  switch (kind) {
    case 'aggregate':
      return { kind, statistic: node.statistic, channel: node.channel }
    case 'quantile':
      return { kind, channel: node.channel, q: node.q }
    case 'lag':
    case 'difference':
      return { kind, of: orderedNode(node.of), windows: node.windows }
    case 'rolling':
      return { kind, statistic: node.statistic, of: orderedNode(node.of), windows: node.windows }
    case 'exponential-mean':
      return { kind, of: orderedNode(node.of), alpha: node.alpha }
    case 'hours-since':
      return { kind, eventType: node.eventType }
    case 'count-of':
      return { kind, eventType: node.eventType, hours: node.hours }
    case 'derived':
      return { kind, of: node.of.map(orderedNode) }
    case 'custom':
      return { kind, channels: node.channels }
  }
}
