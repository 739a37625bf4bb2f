import { type AlertLevel, type AlertRules, type DevicePolicy, idPattern, limits } from '@millwright/core'

/** Which alert policy a device has, by its id. */
export class AlertPolicies {
  /** Most windows that any policy looks back on. */
  readonly windowsMax: number
  /** Whether alerts of some devices end by time. */
  readonly timed: boolean
  readonly #rules: AlertRules
  /** By a whole id, the first entry that names it. */
  readonly #byId = new Map<string, number>()
  /** Patterns with a `*`, in order of their entries. */
  readonly #patterns: { readonly isOf: (id: string) => boolean; readonly entry: number }[] = []

  constructor(rules: AlertRules) {
    this.#rules = rules
    this.windowsMax = alertWindowsKept(rules)
    this.timed = policiesOf(rules).some(({ clearAfterMs }) => clearAfterMs !== null)
    for (const [entry, { match }] of rules.devices.entries())
      for (const pattern of match) {
        if (pattern.includes('*')) this.#patterns.push({ isOf: idPattern(pattern), entry })
        else if (!this.#byId.has(pattern)) this.#byId.set(pattern, entry)
      }
  }

  /** The policy of a device: of the first entry that matches its id, else the plant's. */
  of(deviceId: string): DevicePolicy {
    const named = this.#byId.get(deviceId) ?? limits.alertPoliciesMax
    const matching = this.#patterns.find(({ isOf, entry }) => entry < named && isOf(deviceId))
    return this.#rules.devices[matching?.entry ?? named]?.policy ?? this.#rules.policy
  }
}

/** Returns the most windows whose answers are kept of a device. */
export function alertWindowsKept(rules: AlertRules): number {
  return Math.max(...policiesOf(rules).map(({ windows }) => windows.of))
}

/** Returns every policy that a device may have: the plant's first. */
export function policiesOf(rules: AlertRules): readonly DevicePolicy[] {
  return [rules.policy, ...rules.devices.map(({ policy }) => policy)]
}

/** The probability that must be exceeded to reach a level, and the one that must be exceeded to stay there. */
export function thresholdOf(level: AlertLevel, modelThreshold: number): number {
  return level.threshold ?? modelThreshold
}

export function clearThresholdOf(level: AlertLevel, modelThreshold: number): number {
  const threshold = thresholdOf(level, modelThreshold)
  return Math.min(level.clearThreshold ?? threshold, threshold)
}
