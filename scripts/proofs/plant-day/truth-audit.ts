import type { Proof } from '../support/proof.ts'
import type { PlantFleet, Recorded } from './fleet.ts'

/** Between a reading's own time and that at which the simulator sends it, at most. */
const slackMs = 60_000

/**
 * Holds the readings that the plant acknowledged to the record of what was wrong: against a run of the same machines on which nothing is, they
 * differ where the record says so and nowhere else, and each thing of the record made a difference.
 */
export function auditTruth(proof: Proof, fleet: PlantFleet, acknowledged: readonly string[]): void {
  const recorded = fleet.recorded()
  const sent = new Set(acknowledged)
  const sound = new Set<string>()
  const differences: Difference[] = []
  for (const { deviceId, arrivalMs, line } of fleet.soundLines()) {
    sound.add(line)
    if (!sent.has(line)) differences.push({ deviceId, atMs: arrivalMs })
  }
  for (const line of acknowledged) {
    if (sound.has(line)) continue
    const { deviceId, timestamp } = JSON.parse(line) as { deviceId: string; timestamp: number }
    differences.push({ deviceId, atMs: timestamp })
  }
  const unrecorded = differences.filter((difference) => !recorded.some((one) => explains(one, difference)))
  const without = recorded.filter((one) => !differences.some((difference) => explains(one, difference)))
  proof.check(
    unrecorded.length === 0 && differences.length > 0,
    `the readings differ from those of a sound plant in ${differences.length} places, each of which the record has (${unrecorded.length} it has not)`,
  )
  proof.check(
    without.length === 0,
    `and each of the ${recorded.length} things of the record is in the readings ${without.map(({ what }) => what).join(', ')}`,
  )
}

interface Difference {
  readonly deviceId: string
  readonly atMs: number
}

function explains({ deviceId, fromMs, toMs }: Recorded, difference: Difference): boolean {
  return difference.deviceId === deviceId && difference.atMs >= fromMs - slackMs && difference.atMs < toMs + slackMs
}
