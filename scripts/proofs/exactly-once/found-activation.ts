import { seenEverywhereMs } from '../../../packages/cluster/src/kafka/index.ts'
import type { FoundActivation } from './expected-outputs.ts'
import type { KafkaProbe } from './kafka-probe.ts'

/** The one activation, with the moment by which every subtask has it. */
export async function activationOf(probe: KafkaProbe): Promise<FoundActivation> {
  const record = (await probe.committed('model-updates', 0)).find(({ key }) => key?.startsWith('["activation"'))
  if (record === undefined) throw new Error('model-updates has no activation')
  const { activeFrom } = JSON.parse(Buffer.from(record.value).toString()) as { activeFrom: number }
  return { activeFromMs: activeFrom, seenAtMs: record.appendTimeMs + seenEverywhereMs }
}
