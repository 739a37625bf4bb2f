import type { Engine } from '@millwright/engine'
import { formatCount } from '../terminal/progress.ts'

/** Says what was found at opening that a person should know; `null` when there is nothing. */
export function recoveryText({ partitions, activationsCompleted }: Engine['recovery']): string | null {
  const lines: string[] = []
  const again = partitions.reduce((total, { processedFrom, endOffset }) => total + endOffset - processedFrom, 0)
  const torn = partitions.reduce((total, part) => total + part.tornInputBytes + part.tornOutputBytes, 0)
  if (again > 0) lines.push(`Going on: ${formatCount(again)} records of the log are processed first.`)
  if (torn > 0)
    lines.push(`The last run was cut short: ${formatCount(torn)} bytes that were never acknowledged are taken off.`)
  if (partitions.some(({ previousIdentity }) => previousIdentity !== null))
    lines.push('The plan has changed: windows begin anew from here; what was written before stays.')
  for (const { partition, snapshotDamage } of partitions)
    if (snapshotDamage !== null)
      lines.push(`Partition ${partition}: the newest snapshot is damaged (${snapshotDamage}); the one before was used.`)
  if (activationsCompleted > 0)
    lines.push(`${activationsCompleted} model updates that had not reached every partition now have.`)
  return lines.length === 0 ? null : lines.join('\n')
}
