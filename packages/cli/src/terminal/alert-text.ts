import type { AlertSignal } from '@millwright/core'

/**
 * Prints one high-risk alert for a person: how grave where a policy says so, when, which device, how sure, and why, strongest reason first. Control
 * characters cannot occur: ids and names are checked where they enter.
 */
export function alertText(alert: AlertSignal, units: ReadonlyMap<string, string>): string {
  const span = `${isoMinute(alert.windowStart)}–${isoMinute(alert.windowEnd).slice(11)}`
  const revision = alert.revision > 0 ? ` (revision ${alert.revision})` : ''
  const percent = (alert.probability * 100).toFixed(1)
  const severity = alert.alert === undefined ? '' : ` ${alert.alert.severity}`
  const head = `⚠${severity} ${span} ${alert.deviceId}: ${percent} % risk of failure${revision} [${alert.model.name} ${alert.model.version}]`
  const reasons = (alert.why ?? []).map((reason) => {
    const unit = units.get(reason.feature)
    const value =
      reason.value === null ? 'missing' : `${significant(reason.value)}${unit && unit !== '1' ? ` ${unit}` : ''}`
    return `    ${reason.contribution > 0 ? '↑' : '↓'} ${reason.feature} = ${value} (${reason.contribution > 0 ? '+' : ''}${reason.contribution.toFixed(2)} log-odds)`
  })
  return [head, ...reasons].join('\n')
}

function isoMinute(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 16).replace('T', ' ')
}

/** Four significant digits, without an exponent for everyday sizes. */
function significant(value: number): string {
  return String(Number(value.toPrecision(4)))
}
