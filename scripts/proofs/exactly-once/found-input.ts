import type { PartitionInput } from './expected-outputs.ts'
import type { KafkaProbe } from './kafka-probe.ts'

/** What came in, as it stands in Kafka. */
export interface FoundInput {
  readonly partitions: readonly PartitionInput[]
  readonly recordCount: number
  /** Append time to which the quietest partition lets time come, epoch milliseconds. */
  readonly reachedMs: number
}

/** Reads readings and device events whole. */
export async function inputOf(probe: KafkaProbe, partitionCount: number): Promise<FoundInput> {
  const partitions = await Promise.all(
    Array.from({ length: partitionCount }, async (_, partition): Promise<PartitionInput> => {
      const readings = await probe.committed('sensor-data', partition)
      return { readings, events: await probe.committed('device-events', partition) }
    }),
  )
  const logs = partitions.flatMap(({ readings, events }) => [readings, events])
  return {
    partitions,
    recordCount: logs.reduce((sum, records) => sum + records.length, 0),
    reachedMs: Math.min(...logs.map((records) => records.at(-1)?.appendTimeMs ?? 0)),
  }
}
