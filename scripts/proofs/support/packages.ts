import { createHash } from 'node:crypto'
import { splitModelFile, splitModelPackage } from '../../../packages/cli/src/models/split-model-testing.ts'

/** Where the proofs' models part: mean vibration below, or not. */
export const vibrationSplit = 1

const features = [
  { name: 'tempStd', unit: '°C' },
  { name: 'vibration', unit: 'mm/s' },
  { name: 'pressure', unit: 'bar' },
]
const rows = [
  [0.1, 0.4, 4],
  [0.3, 1.4, 4.2],
  [0.2, 0.9, 4.1],
  [0.5, 1.1, 4.3],
]

/**
 * The bytes of a sound package for the proofs' plant.
 *
 * @param highWhenCalm Which side of the split it finds risky.
 * @param idleTreeCount Trees that make it larger, half a kilobyte each, and change no answer.
 */
export function proofPackage(version: string, highWhenCalm: boolean, idleTreeCount = 0): Uint8Array {
  return splitModelPackage({ name: 'proof', version, features, rows, ...split(highWhenCalm), idleTreeCount })
}

/** The model inside such a package, by itself. @param featureCount Other than the plant's, for one that does not fit. */
export function proofModelFile(highWhenCalm: boolean, featureCount = features.length): Uint8Array {
  return splitModelFile(split(highWhenCalm), featureCount)
}

function split(highWhenCalm: boolean) {
  return {
    splitFeature: 1,
    splitAt: vibrationSplit,
    below: highWhenCalm ? 4 : -4,
    atOrAbove: highWhenCalm ? -4 : 4,
  }
}

/** SHA-256 of a package, by which activations name it; lower-case hexadecimal. */
export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
