import { seenEverywhereMs } from '../../../packages/cluster/src/kafka/index.ts'
import type { FoundActivation } from './expected-outputs.ts'
import type { KafkaProbe } from './kafka-probe.ts'

/** The activations in the order of their appends, each with the moment by which every subtask has it. @throws Where there are none. */
export async function activationsOf(probe: KafkaProbe): Promise<FoundActivation[]> {
  const records = await probe.committed('model-updates', 0)
  const found = records.flatMap(({ key, value, appendTimeMs }): FoundActivation[] => {
    if (!key?.startsWith('["activation"')) return []
    const { version, activeFrom } = JSON.parse(Buffer.from(value).toString()) as { version: string; activeFrom: number }
    return [{ version, activeFromMs: activeFrom, seenAtMs: appendTimeMs + seenEverywhereMs }]
  })
  if (found.length === 0) throw new Error('model-updates has no activation')
  return found
}
