import type { CrashSubject } from './crash-subject.ts'
import { loadTestModel, SumOperator } from './sum-operator.ts'

/** The plant of the engine's own crash tests: sums of 200 devices in worker threads. */
export const sumsSubject: CrashSubject = {
  child: new URL('./crash-child.ts', import.meta.url),
  partitionCount: 3,
  createOperator: (_partition, sink) => new SumOperator(sink, { silentAfterMs: 300 }),
  loadModel: loadTestModel,
  line: (n) => {
    const device = (Math.imul(n, 2_654_435_761) >>> 8) % 200
    const text = n % 97 === 0 ? `bad-${n}` : `d${device} ${n}`
    return { partition: device % 3, text }
  },
}
