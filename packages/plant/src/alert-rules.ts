import {
  type AlertLevel,
  type AlertMute,
  type AlertPolicy,
  type AlertRules,
  alertSeverities,
  type ConfigurationProblem,
  type DevicePolicy,
  limits,
} from '@millwright/core'
import { printValue } from './check-feature.ts'
import { formatDuration } from './duration.ts'
import type { ParsedSettings } from './schema.ts'

type ParsedAlert = ParsedSettings['alert']
type ParsedPolicy = Pick<
  ParsedAlert,
  'threshold' | 'clearThreshold' | 'severities' | 'windows' | 'minimumDuration' | 'clearAfter'
>

const dayMs = 86_400_000

/** Returns the policy that a project declares: with rules where it says more than one threshold. */
export function alertPolicy(alert: ParsedAlert): AlertPolicy {
  const { threshold, whyMax, ...more } = alert
  const plain: AlertPolicy = { threshold: threshold ?? null, whyMax }
  return Object.keys(more).length === 0 ? plain : { ...plain, rules: alertRules(alert) }
}

function alertRules(alert: ParsedAlert): AlertRules {
  return {
    policy: devicePolicy(alert),
    devices: (alert.devices ?? []).map(({ match, ...own }) => ({ match, policy: devicePolicy({ ...alert, ...own }) })),
    mutes: [...mutes('maintenance', alert.maintenance, dayMs), ...mutes('stopped', alert.stops, null)],
  }
}

function devicePolicy(policy: ParsedPolicy): DevicePolicy {
  return {
    levels: levelsOf(policy),
    windows: policy.windows ?? { high: 1, of: 1 },
    minimumDurationMs: policy.minimumDuration ?? 0,
    clearAfterMs: policy.clearAfter ?? null,
  }
}

/** In ascending order of severity. */
function levelsOf({ threshold, clearThreshold, severities = {} }: ParsedPolicy): AlertLevel[] {
  const graver = alertSeverities.flatMap((severity) => {
    const level = severity === 'warning' ? undefined : severities[severity]
    return level === undefined
      ? []
      : [{ severity, threshold: level.threshold, clearThreshold: level.clearThreshold ?? null }]
  })
  return [{ severity: 'warning', threshold: threshold ?? null, clearThreshold: clearThreshold ?? null }, ...graver]
}

function mutes(
  cause: AlertMute['cause'],
  settings: ParsedAlert['maintenance'],
  atMostMs: number | null,
): readonly AlertMute[] {
  if (settings === undefined) return []
  const { begin, end, atMost = atMostMs, settle } = settings
  return [{ cause, beginType: begin, endType: end, atMostMs: atMost, settleMs: settle }]
}

/** Returns everything that is wrong between the fields of an alert policy. */
export function alertProblems(alert: ParsedAlert): ConfigurationProblem[] {
  const problems = policyProblems('alert', alert, alert)
  const report = (field: string, found: unknown, wanted: string): void => {
    problems.push({ field, found: printValue(found), wanted })
  }
  const seen = new Set<string>()
  for (const [index, { match, ...own }] of (alert.devices ?? []).entries()) {
    const field = `alert.devices[${index}]`
    for (const pattern of match) {
      if (seen.has('*')) report(`${field}.match`, pattern, 'to stand before "*", which matches every device')
      else if (seen.has(pattern))
        report(`${field}.match`, pattern, 'a pattern that no earlier one is: the first counts')
      seen.add(pattern)
    }
    problems.push(...policyProblems(field, own, { ...alert, ...own }))
  }
  if (seen.size > limits.alertPoliciesMax)
    report('alert.devices', seen.size, `at most ${limits.alertPoliciesMax} patterns`)
  for (const name of ['maintenance', 'stops'] as const) {
    const mute = alert[name]
    if (mute !== undefined && mute.begin === mute.end)
      report(`alert.${name}.end`, mute.end, 'another type of event than that of the beginning')
  }
  return problems
}

/**
 * @param own What the entry says itself: a field is named where it stands.
 * @param whole With what it takes over from the plant's.
 */
function policyProblems(field: string, own: ParsedPolicy, whole: ParsedPolicy): ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = []
  const report = (name: string, found: string, wanted: string): void => {
    problems.push({ field: `${field}.${name}`, found, wanted })
  }
  const { minimumDuration = 0, clearAfter } = whole
  if (own.windows !== undefined && own.windows.high > own.windows.of)
    report('windows.high', String(own.windows.high), `at most windows.of, which is ${own.windows.of}`)
  const saysTime = own.minimumDuration !== undefined || own.clearAfter !== undefined
  if (saysTime && clearAfter !== undefined && clearAfter !== null && clearAfter < minimumDuration)
    report('clearAfter', formatDuration(clearAfter), `at least minimumDuration, ${formatDuration(minimumDuration)}`)
  const saysLevel = own.threshold !== undefined || own.clearThreshold !== undefined || own.severities !== undefined
  if (saysLevel) problems.push(...levelProblems(field, whole))
  return problems
}

function levelProblems(field: string, policy: ParsedPolicy): ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = []
  const levels = levelsOf(policy)
  for (const [index, { severity, threshold, clearThreshold }] of levels.entries()) {
    const name = index === 0 ? field : `${field}.severities.${severity}`
    const below = levels[index - 1]
    if (below !== undefined && below.threshold === null)
      problems.push({
        field: `${field}.threshold`,
        found: 'nothing',
        wanted: "a threshold beside graver severities: the model package's may be above theirs",
      })
    else if (below !== undefined && (threshold as number) <= (below.threshold as number))
      problems.push({
        field: `${name}.threshold`,
        found: String(threshold),
        wanted: `more than that of ${below.severity}, ${below.threshold}`,
      })
    if (clearThreshold === null) continue
    if (threshold === null)
      problems.push({
        field: `${field}.threshold`,
        found: 'nothing',
        wanted: "a threshold beside clearThreshold: the model package's may be below it",
      })
    else if (clearThreshold > threshold)
      problems.push({
        field: `${name}.clearThreshold`,
        found: String(clearThreshold),
        wanted: `at most the threshold, ${threshold}`,
      })
  }
  return problems
}
