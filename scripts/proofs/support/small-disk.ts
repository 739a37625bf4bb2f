import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { tryCommand } from './namespaces.ts'
import { NotPossibleHere, type Proof } from './proof.ts'

/**
 * Mounts a real small file system in the proof's folder: ext4 in a file where that is permitted, else memory. Wants a mount namespace of
 * its own.
 *
 * @throws {NotPossibleHere} Where neither can be.
 */
export function mountSmallDisk(proof: Proof, diskMiB: number): string {
  const disk = join(proof.folder, 'disk')
  const image = join(proof.folder, 'disk.img')
  mkdirSync(disk)
  // The folder can only be removed when nothing is mounted in it.
  proof.onEnd(() => void tryCommand('umount', '-l', disk))
  const failed =
    tryCommand('truncate', '-s', `${diskMiB}M`, image) ??
    tryCommand('mkfs.ext4', '-q', '-m', '0', '-J', 'size=8', image) ??
    tryCommand('mount', '-o', 'loop', image, disk)
  if (failed === null) {
    proof.say(`the disk is an ext4 of ${diskMiB} MiB`)
    return disk
  }
  const memory = tryCommand('mount', '-t', 'tmpfs', '-o', `size=${diskMiB}M`, 'tmpfs', disk)
  if (memory !== null)
    throw new NotPossibleHere(`neither ext4 (${failed.trim()}) nor tmpfs (${memory.trim()}) can be mounted`)
  proof.say(`the disk is a tmpfs of ${diskMiB} MiB, since ext4 cannot be mounted: ${failed.trim()}`)
  return disk
}
