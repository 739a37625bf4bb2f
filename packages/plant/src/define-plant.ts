import {
  ConfigurationError,
  type ConfigurationProblem,
  type CsvFormat,
  type FeatureNode,
  limits,
  type Plan,
  type WindowNode,
} from '@millwright/core'
import { alertPolicy, alertProblems } from './alert-rules.ts'
import { checkFeature, printValue } from './check-feature.ts'
import { formatDuration } from './duration.ts'
import { notifyChannels, notifyProblems } from './notify-rules.ts'
import { type ParsedSettings, plantSchema } from './schema.ts'
import type { PlantSettings } from './settings.ts'
import { unitOf } from './units.ts'

/**
 * Checks a plant's settings as a whole and makes the plan that engines run.
 *
 * @returns Frozen data; a project exports it as its default.
 * @throws {ConfigurationError} Naming every field that is wrong, its value, and what is wanted.
 *
 * @example
 * definePlant({
 *   name: 'pumps',
 *   channels: { temperature: { unit: '°C' } },
 *   window: tumbling('5 min'),
 *   features: { tempStd: std('temperature') },
 * })
 */
export function definePlant<const C extends string>(settings: PlantSettings<C>): Plan {
  const parsed = plantSchema.safeParse(settings, { reportInput: true })
  if (!parsed.success) {
    throw new ConfigurationError(
      'This plant cannot be built.',
      parsed.error.issues.flatMap((issue) => problemsOf(issue, settings)),
    )
  }
  const problems = crossFieldProblems(parsed.data)
  if (problems.length > 0) throw new ConfigurationError(`The plant "${parsed.data.name}" cannot be built.`, problems)
  return deepFreeze(buildPlan(parsed.data))
}

interface SchemaIssue {
  readonly code?: string | undefined
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly input?: unknown
  readonly keys?: readonly string[]
  readonly issues?: readonly SchemaIssue[]
}

function problemsOf(issue: SchemaIssue, settings: unknown): ConfigurationProblem[] {
  const field = issue.path.length === 0 ? 'plant' : issue.path.map(String).join('.')
  if (issue.code === 'unrecognized_keys')
    return (issue.keys ?? []).map((key) => ({
      field: issue.path.length === 0 ? key : `${field}.${key}`,
      found: 'a field that is not known',
      wanted: 'the name of a known field (the editor lists them)',
    }))
  if (issue.code === 'invalid_key')
    return [{ field, found: printValue(issue.path.at(-1)), wanted: issue.issues?.[0]?.message ?? issue.message }]
  const value = valueAt(settings, issue.path)
  return [{ field, found: mayHoldSecret(issue.path) ? printHidden(value) : printValue(value), wanted: issue.message }]
}

/** Where a person may have written a secret itself rather than where it is found. */
function mayHoldSecret(path: readonly PropertyKey[]): boolean {
  return path[0] === 'notify' && /^(?:url|urls|secretEnv|passwordEnv)$/.test(String(path[2]))
}

function printHidden(value: unknown): string {
  return typeof value === 'string' ? `a text of ${value.length} characters, not shown here` : printValue(value)
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value
  for (const key of path) {
    if (typeof current !== 'object' || current === null) return undefined
    current = (current as Record<PropertyKey, unknown>)[key]
  }
  return current
}

function crossFieldProblems(settings: ParsedSettings): ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = []
  const report = (field: string, found: unknown, wanted: string): void => {
    problems.push({ field, found: printValue(found), wanted })
  }
  const channelNames = Object.keys(settings.channels)
  if (channelNames.length === 0) report('channels', settings.channels, 'at least one channel')
  if (channelNames.length > limits.channelsMax) report('channels', channelNames.length, `at most ${limits.channelsMax}`)
  for (const [name, channel] of Object.entries(settings.channels)) {
    if (name === 'deviceId' || name === 'timestamp')
      report(`channels.${name}`, name, 'another name: this one is the reading’s own')
    if (channel.min !== undefined && channel.max !== undefined && channel.min > channel.max)
      report(`channels.${name}.min`, channel.min, `at most max, which is ${channel.max}`)
  }

  const ruleNames = new Set<string>()
  for (const [index, rule] of settings.cleaning.entries()) {
    const field = `cleaning[${index}]`
    if (!channelNames.includes(rule.channel))
      report(`${field}.channel`, rule.channel, `a declared channel: ${channelNames.join(', ')}`)
    if (rule.min === undefined && rule.max === undefined) report(field, 'neither min nor max', 'min, max or both')
    if (rule.min !== undefined && rule.max !== undefined && rule.min > rule.max)
      report(`${field}.min`, rule.min, `at most max, which is ${rule.max}`)
    const name = ruleName(rule)
    if (ruleNames.has(name))
      report(`${field}.name`, name, 'a name that no other rule has, since drops are counted by it')
    ruleNames.add(name)
  }

  const features = Object.entries(settings.features)
  if (features.length === 0) report('features', settings.features, 'at least one feature')
  if (features.length > limits.featuresMax) report('features', features.length, `at most ${limits.featuresMax}`)
  for (const [name, feature] of features)
    problems.push(...checkFeature(`features.${name}`, feature.node as FeatureNode, channelNames))

  problems.push(
    ...windowProblems(settings),
    ...alertProblems(settings.alert),
    ...notifyProblems(settings.notify),
    ...heartbeatProblems(settings),
    ...lineProblems(settings),
  )
  for (const channel of Object.keys(settings.csv?.channels ?? {}))
    if (!channelNames.includes(channel))
      report(`csv.channels.${channel}`, channel, `a declared channel: ${channelNames.join(', ')}`)
  return problems
}

function windowProblems({ window, time }: ParsedSettings): ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = []
  const report = (field: string, found: string | number, wanted: string): void => {
    problems.push({ field, found: String(found), wanted })
  }
  if (window.kind === 'hopping') {
    if (window.slide > window.size)
      report('window.slide', formatDuration(window.slide), `at most the size, ${formatDuration(window.size)}`)
    const open = Math.ceil((window.size + time.grace + time.allowedLateness) / window.slide) + 1
    if (open > limits.openWindowsPerDeviceMax)
      report(
        'window.slide',
        formatDuration(window.slide),
        `longer: ${open} windows of a device would be open at once, of at most ${limits.openWindowsPerDeviceMax}`,
      )
  }
  if (window.kind === 'tumbling') {
    const open = Math.ceil((window.size + time.grace + time.allowedLateness) / window.size) + 1
    if (open > limits.openWindowsPerDeviceMax)
      report(
        'time.allowedLateness',
        formatDuration(time.allowedLateness),
        `shorter: ${open} windows of a device would be kept at once, of at most ${limits.openWindowsPerDeviceMax}`,
      )
  }
  if (window.kind === 'session' && time.allowedLateness > 0)
    report('time.allowedLateness', formatDuration(time.allowedLateness), '0 ms: sessions do not take late readings')
  if (window.kind === 'session' && time.grace > window.gap * 64)
    report('time.grace', formatDuration(time.grace), 'at most 64 times the gap of the session')
  if (window.kind === 'per-reading' && time.allowedLateness > 0)
    report('time.allowedLateness', formatDuration(time.allowedLateness), '0 ms: each reading is its own window')
  const silentAfter = time.silentAfter ?? defaultSilentAfterMs(windowNode(window))
  if (time.forgetAfter < silentAfter)
    report('time.forgetAfter', formatDuration(time.forgetAfter), `at least silentAfter, ${formatDuration(silentAfter)}`)
  return problems
}

/** A beat takes the event time of the heartbeat on by a window, so that it closes one. */
function heartbeatProblems({ heartbeat, time, window }: ParsedSettings): ConfigurationProblem[] {
  if (heartbeat === null) return []
  const found = formatDuration(heartbeat)
  const problems: ConfigurationProblem[] = []
  if (time.timestamp === 'arrival')
    problems.push({
      field: 'heartbeat',
      found,
      wanted: "null: with timestamp: 'arrival' no reading can have another time",
    })
  const node = windowNode(window)
  const lengthMs =
    node.kind === 'tumbling'
      ? node.sizeMs
      : node.kind === 'hopping'
        ? node.slideMs
        : node.kind === 'session'
          ? node.gapMs
          : 0
  // Thirty years of event time are gone through at a window a beat; each time round leaves a device behind until it is forgotten.
  if (lengthMs > dayMs || time.grace > dayMs)
    problems.push({ field: 'heartbeat', found, wanted: 'null: the window or the grace is longer than a day' })
  return problems
}

function lineProblems({ lines }: ParsedSettings): ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = []
  const count = Object.keys(lines).length
  if (count > limits.linesMax)
    problems.push({ field: 'lines', found: `${count} lines`, wanted: `at most ${limits.linesMax}` })
  for (const [name, devices] of Object.entries(lines)) {
    const known = new Set<string>()
    for (const device of devices)
      if (known.has(device))
        problems.push({ field: `lines.${name}`, found: printValue(device), wanted: 'each machine once' })
      else known.add(device)
  }
  return problems
}

const dayMs = 86_400_000

function buildPlan(settings: ParsedSettings): Plan {
  const channels = Object.entries(settings.channels).map(([name, channel]) => ({
    name,
    unit: channel.unit,
    kind: channel.kind,
    min: channel.min ?? null,
    max: channel.max ?? null,
  }))
  const window = windowNode(settings.window)
  return {
    kind: 'plan',
    name: settings.name,
    channels,
    cleaning: settings.cleaning.map((rule) => ({
      kind: 'range',
      name: ruleName(rule),
      channel: rule.channel,
      min: rule.min ?? null,
      max: rule.max ?? null,
      onBad: rule.onBad,
    })),
    window,
    features: Object.entries(settings.features).map(([name, feature]) => {
      const node = feature.node as FeatureNode
      return { name, unit: feature.unit ?? unitOf(node, channels), node }
    }),
    model: settings.model,
    alert: alertPolicy(settings.alert),
    time: {
      timestamp: settings.time.timestamp,
      graceMs: settings.time.grace,
      allowedLatenessMs: settings.time.allowedLateness,
      maxJumpMs: settings.time.maxJump,
      maxClockAheadMs: settings.time.maxClockAhead,
      silentAfterMs: settings.time.silentAfter ?? defaultSilentAfterMs(window),
      forgetAfterMs: settings.time.forgetAfter,
      devicesMax: settings.time.devicesMax,
    },
    partitionCount: settings.partitions,
    sources: settings.sources,
    sinks: settings.sinks,
    notify: notifyChannels(settings.notify),
    retention: {
      readingsMs: settings.retention.readings,
      outputsMs: settings.retention.outputs,
      diskBytesMax: settings.retention.diskBytesMax,
    },
    heartbeat: settings.heartbeat === null ? null : { intervalMs: settings.heartbeat },
    lines: Object.entries(settings.lines).map(([name, devices]) => ({ name, devices })),
    csv:
      settings.csv === undefined
        ? null
        : csvFormat(
            settings.csv,
            channels.map((channel) => channel.name),
          ),
  }
}

function windowNode(window: ParsedSettings['window']): WindowNode {
  switch (window.kind) {
    case 'tumbling':
      return { kind: 'tumbling', sizeMs: window.size }
    case 'hopping':
      return { kind: 'hopping', sizeMs: window.size, slideMs: window.slide }
    case 'session':
      return { kind: 'session', gapMs: window.gap }
    case 'per-reading':
      return { kind: 'per-reading' }
  }
}

/** Two window sizes, at least ten minutes: a device that misses a whole window and more has gone quiet. */
function defaultSilentAfterMs(window: WindowNode): number {
  const sizeMs = window.kind === 'session' ? window.gapMs : window.kind === 'per-reading' ? 0 : window.sizeMs
  return Math.max(2 * sizeMs, 600_000)
}

function ruleName(rule: ParsedSettings['cleaning'][number]): string {
  return rule.name ?? `${rule.channel}-range`
}

function csvFormat(csv: NonNullable<ParsedSettings['csv']>, channelNames: readonly string[]): CsvFormat {
  return { ...csv, channels: Object.fromEntries(channelNames.map((name) => [name, csv.channels[name] ?? name])) }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}
