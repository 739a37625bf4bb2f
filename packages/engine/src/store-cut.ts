import type { Disk } from '@millwright/core'
import { requireFormat, stateDirectory } from './data-folder.ts'
import { NodeDisk } from './node-disk.ts'
import { listManifests, readManifest } from './snapshot-manifest.ts'

/**
 * Returns the append time before which every output of every partition is on stable storage, epoch milliseconds, by the newest
 * snapshots: what was appended at that time or later may still come. Whether or not a plant runs; changes nothing.
 *
 * Who takes the records of several topics in order of append time may take those before it, and no others: so that it takes the
 * same ones in the same order whenever it reads. A verdict of exactly that time may be taken, too, before all others of that time.
 *
 * @returns `null` while a partition has no snapshot that tells.
 * @throws {StoreVersionError} When the folder is no data folder of this release or an older one.
 */
export function readStoreCut(directory: string, disk: Disk = new NodeDisk()): number | null {
  const { partitionCount } = requireFormat(disk, directory)
  let cutMs = Number.POSITIVE_INFINITY
  for (let partition = 0; partition < partitionCount; partition++) {
    const appendClockMs = newestClock(disk, stateDirectory(directory, partition))
    if (appendClockMs === null) return null
    cutMs = Math.min(cutMs, appendClockMs)
  }
  return cutMs
}

function newestClock(disk: Disk, directory: string): number | null {
  const [sequence] = listManifests(disk, directory)
  if (sequence === undefined) return null
  try {
    return readManifest(disk, directory, sequence).shared?.appendClockMs ?? null
  } catch {
    // Replaced by a newer one between the listing and the look, or damaged, which the next start says: either way it tells nothing now.
    return null
  }
}
