import type { QualityTotals } from '@millwright/monitoring'
import { formatCount } from '../terminal/progress.ts'
import type { Row } from '../terminal/rows.ts'

/** What reports of a plant and of one machine say alike of data quality: each channel, how often readings came, their clocks. */
export function qualityRows(of: Omit<QualityTotals, 'windows'>): Row[] {
  return [
    ...of.channels.map(
      ({ channel, missingWindows, outOfRangeWindows, flatWindows }): Row => [
        channel,
        missingWindows === null
          ? 'no feature tells of it'
          : `${formatCount(missingWindows)} missing, ${formatCount(outOfRangeWindows)} out of range, ${formatCount(flatWindows)} flat`,
      ],
    ),
    ['rate', `${formatCount(of.shortWindows)} short windows, ${formatCount(of.longWindows)} long`],
    [
      'clock',
      `${formatCount(of.clockAhead)} ahead, ${formatCount(of.clockUnreadable)} unreadable, ${formatCount(of.lateReadings)} late readings`,
    ],
  ]
}
