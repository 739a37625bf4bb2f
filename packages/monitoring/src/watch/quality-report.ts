import type { DataQuality, DeviceQuality } from '../quality/data-quality.ts'
import type { WatchedChannel } from '../quality/quality-plan.ts'
import type { MachineQuality, QualityReport } from './watch-report.ts'

const worstMax = 20

/** Summarises what readings are like; looks at every machine, and closely at those with something wrong. */
export function qualityReport(quality: DataQuality, channels: readonly WatchedChannel[]): QualityReport {
  let worst: { readonly score: number; readonly machine: MachineQuality }[] = []
  for (const deviceId of quality.machinesWithFindings()) {
    const report = quality.report(deviceId)
    if (report === null) continue
    const period = report.last ?? report.now
    const found = findingsOf(period, channels)
    const count = Object.values(found).reduce((sum, each) => sum + each, 0)
    const machine = { deviceId, periodStart: period.periodStartMs, windows: period.windows, found }
    worst.push({ score: count / Math.max(1, period.windows), machine })
    if (worst.length > 4 * worstMax) worst = worstOf(worst)
  }
  return {
    machines: quality.machineCount,
    machinesSilent: quality.machinesSilent,
    machinesRefused: quality.machinesRefused,
    totals: quality.totals(),
    worst: worstOf(worst).map(({ machine }) => machine),
  }
}

/** By findings a window; of equal ones by the name, so that no order of machines shows. */
function worstOf<T extends { readonly score: number; readonly machine: MachineQuality }>(all: readonly T[]): T[] {
  return [...all]
    .sort((a, b) => b.score - a.score || (a.machine.deviceId < b.machine.deviceId ? -1 : 1))
    .slice(0, worstMax)
}

function findingsOf(period: DeviceQuality, channels: readonly WatchedChannel[]): Record<string, number> {
  const all: [string, number][] = channels.flatMap(({ name }, i): [string, number][] => {
    const channel = period.channels[i]
    return [
      [`missing ${name}`, channel?.missingWindows ?? 0],
      [`out of range ${name}`, channel?.outOfRangeWindows ?? 0],
      [`flat ${name}`, channel?.flatWindows ?? 0],
    ]
  })
  all.push(
    ['short windows', period.shortWindows],
    ['long windows', period.longWindows],
    ['clock ahead', period.clockAhead],
    ['clock unreadable', period.clockUnreadable],
    ['other refusals', period.otherRefusals],
    ['late readings', period.lateReadings],
    ['silences', period.silences],
  )
  return Object.fromEntries(all.filter(([, count]) => count > 0))
}
