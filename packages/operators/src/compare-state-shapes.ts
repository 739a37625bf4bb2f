import type { ConfigurationProblem, FeatureNode, WindowNode } from '@millwright/core'
import { innerFeatures, partsOfStatistic } from './accumulators/layout.ts'
import { ownLookBack } from './features/look-back.ts'
import {
  deviceStateVersion,
  expressionKey,
  type FeatureExpression,
  partsOf,
  type StateShape,
  stateShapeHash,
} from './state-shape.ts'

/** What becomes of devices' states when the project changes. */
export interface StateShapeComparison {
  /** Why the states cannot be taken over; none where they can. */
  readonly problems: readonly ConfigurationProblem[]
  /** What is missing after the change, and until when: a sentence each. */
  readonly notes: readonly string[]
}

/** What to do where the old states are of no use. */
const startWithout = 'a start without the old states'

/**
 * Returns whether an operator of one shape can take over states of another, and what it will miss.
 *
 * @param from Shape of the states that are there.
 * @param to Shape of the plan that is to run.
 */
export function compareStateShapes(from: StateShape, to: StateShape): StateShapeComparison {
  const problems = problemsBetween(from, to)
  if (problems.length > 0) return { problems, notes: [] }
  // States of one hash cannot be told apart, so they are taken as they are.
  const notes = stateShapeHash(from) === stateShapeHash(to) ? functionNotes(from, to) : gapNotes(from, to)
  return { problems, notes: [...cleaningNotes(from, to), ...alertNotes(from, to), ...notes] }
}

function problemsBetween(from: StateShape, to: StateShape): ConfigurationProblem[] {
  if (from.version !== to.version) {
    const wanted = `${from.version}, that of the states; else ${startWithout}`
    return [{ field: 'state version', found: `${deviceStateVersion}, that of this release`, wanted }]
  }
  const problems: ConfigurationProblem[] = []
  const mustStay = (field: string, was: string, is: string, why: string): void => {
    if (was !== is) problems.push({ field, found: is, wanted: `${was} as it was, since ${why}; else ${startWithout}` })
  }
  const list = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ')
  mustStay(
    'channels',
    list(from.channels),
    list(to.channels),
    'redelivered readings are known by the values of all channels, in this order',
  )
  mustStay('window', describe(from.window), describe(to.window), 'open windows cannot be cut anew')
  mustStay('time.timestamp', from.timestamp, to.timestamp, "the devices' clocks run on it")
  if (to.window.kind !== 'per-reading') problems.push(...latenessProblems(from.time, to.time))
  return problems
}

/** Windows that are closed already cannot be opened again: late readings would make a second window of the same time. */
function latenessProblems(from: StateShape['time'], to: StateShape['time']): ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = []
  const mustNotGrow = (field: string, wasMs: number, isMs: number): void => {
    if (isMs <= wasMs) return
    const wanted = `at most ${wasMs} ms as it was, since windows that are closed cannot be opened again; else ${startWithout}`
    problems.push({ field, found: `${isMs} ms`, wanted })
  }
  mustNotGrow('time.grace', from.graceMs, to.graceMs)
  mustNotGrow(
    'time.grace + time.allowedLateness',
    from.graceMs + from.allowedLatenessMs,
    to.graceMs + to.allowedLatenessMs,
  )
  return problems
}

function describe(window: WindowNode): string {
  switch (window.kind) {
    case 'tumbling':
      return `tumbling windows of ${window.sizeMs} ms`
    case 'hopping':
      return `hopping windows of ${window.sizeMs} ms every ${window.slideMs} ms`
    case 'session':
      return `sessions with a gap of ${window.gapMs} ms`
    case 'per-reading':
      return 'a window per reading'
  }
}

/** Where a feature is missing after the change. */
interface Gap {
  /** In windows that were open at the change. */
  readonly open: boolean
  /** In so many windows of a device, after the open ones where these are meant too. */
  readonly windows: number
  /** Hours for which events are not known. */
  readonly hours: number
  /** Types of events of which the newest is not known. */
  readonly types: readonly string[]
  /** Whether a mean begins anew. */
  readonly anew: boolean
}

const noGap: Gap = { open: false, windows: 0, hours: 0, types: [], anew: false }

function gapNotes(from: StateShape, to: StateShape): string[] {
  const kept = new Set(from.features.map(({ expression }) => expressionKey(expression)))
  const gaps = new Gaps(from)
  return to.features.flatMap(({ name, expression }) => {
    return kept.has(expressionKey(expression)) ? [] : sentences(name, gaps.of(treeOf(expression)))
  })
}

function sentences(name: string, { open, windows, hours, types, anew }: Gap): string[] {
  const notes: string[] = []
  const missing = (where: string): void => {
    notes.push(`"${name}" is missing ${where}`)
  }
  if (open)
    missing(`in windows that were open at the change${windows > 0 ? `, and in the ${windows} windows after them` : ''}`)
  else if (windows > 0) missing(`in the first ${windows} windows of a device that end after the change`)
  if (hours > 0) missing(`until ${hours} hours after the change`)
  for (const type of types) missing(`until the first event "${type}" after the change`)
  if (anew) notes.push(`"${name}" begins anew at the change, as on a device that is new`)
  return notes
}

/** Says of features what an earlier shape lacks for them. */
class Gaps {
  readonly #from: StateShape
  readonly #columns: ReadonlySet<string>

  constructor(from: StateShape) {
    this.#from = from
    this.#columns = new Set(from.history.columns.map(expressionKey))
  }

  of(tree: ExpressionTree): Gap {
    const { node, of } = tree
    switch (node.kind) {
      case 'aggregate': {
        if (node.channel === null) return noGap
        const kept = this.#from.accumulators.find(({ channel }) => channel === node.channel)
        const lacking = partsOfStatistic[node.statistic] & ~partsOf(kept?.parts ?? [])
        return { ...noGap, open: lacking !== 0 }
      }
      case 'quantile':
        return { ...noGap, open: !this.#keepsRaw([node.channel], false) }
      case 'custom':
        return { ...noGap, open: !this.#keepsRaw(node.channels, true) }
      case 'lag':
      case 'difference':
      case 'rolling': {
        const inner = this.#inner(of)
        const windows = ownLookBack(node)
        if (!this.#columns.has(of[0]?.key ?? '')) return { ...inner, windows: inner.windows + windows }
        return windows > this.#from.history.lookBack ? { ...inner, windows } : inner
      }
      case 'exponential-mean':
        return this.#columns.has(tree.key) ? noGap : { ...this.#inner(of), anew: true }
      case 'hours-since':
        return this.#from.eventTypes.includes(node.eventType) ? noGap : { ...noGap, types: [node.eventType] }
      case 'count-of':
        return this.#from.eventTypes.includes(node.eventType) ? noGap : { ...noGap, hours: node.hours }
      case 'derived':
        return this.#inner(of)
    }
  }

  #inner(trees: readonly ExpressionTree[]): Gap {
    let gap = noGap
    for (const tree of trees) {
      const { open, windows, hours, types, anew } = this.of(tree)
      gap = {
        open: gap.open || open,
        windows: Math.max(gap.windows, windows),
        hours: Math.max(gap.hours, hours),
        types: [...new Set([...gap.types, ...types])],
        anew: gap.anew || anew,
      }
    }
    return gap
  }

  #keepsRaw(channels: readonly string[], timestamps: boolean): boolean {
    const { raw } = this.#from
    return raw !== null && (raw.timestamps || !timestamps) && channels.every((name) => raw.channels.includes(name))
  }
}

function cleaningNotes(from: StateShape, to: StateShape): string[] {
  const same = JSON.stringify(from.cleaning) === JSON.stringify(to.cleaning)
  return same ? [] : ['windows that were open at the change hold readings that were cleaned by the rules of before']
}

function alertNotes(from: StateShape, to: StateShape): string[] {
  if (from.alert === undefined && to.alert !== undefined)
    return ['no alert stands at the change: windows of before do not count for the alert policy']
  if (from.alert !== undefined && to.alert === undefined)
    return [
      'alerts that stand are forgotten at the change, and nothing says that they ended: the project has no alert policy any more',
    ]
  return []
}

/** Between shapes that differ in nothing but functions. */
function functionNotes(from: StateShape, to: StateShape): string[] {
  return to.features.flatMap(({ name, expression }, index) => {
    const before = from.features[index]?.expression
    if (before === undefined || expressionKey(before) === expressionKey(expression)) return []
    return looksBackOnFunction(treeOf(expression))
      ? [`"${name}" looks back on what its function gave before it was changed, until those windows are behind it`]
      : []
  })
}

function looksBackOnFunction(tree: ExpressionTree): boolean {
  const callsFunction = (inner: ExpressionTree): boolean =>
    inner.node.kind === 'derived' || inner.node.kind === 'custom' || inner.of.some(callsFunction)
  return (ownLookBack(tree.node) > 0 && tree.of.some(callsFunction)) || tree.of.some(looksBackOnFunction)
}

/** An expression with those inside it. Users' functions are not there to be called. */
interface ExpressionTree {
  readonly node: FeatureNode
  readonly key: string
  readonly of: readonly ExpressionTree[]
}

function treeOf({ json, functions }: FeatureExpression): ExpressionTree {
  let next = 0
  const build = (node: FeatureNode): ExpressionTree => {
    const first = next
    if (node.kind === 'derived' || node.kind === 'custom') next += 1
    const of = innerFeatures(node).map(build)
    return { node, key: expressionKey({ json: JSON.stringify(node), functions: functions.slice(first, next) }), of }
  }
  return build(JSON.parse(json) as FeatureNode)
}
