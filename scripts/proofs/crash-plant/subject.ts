import { type Plan, partitionOf } from '@millwright/core'
import { definePlant, lag, mean, std, tumbling } from '@millwright/plant'
import { loadPackage } from '../../../packages/cli/src/models/load-package.ts'
import { buildOperator } from '../../../packages/cli/src/plant/build-operator.ts'
import type { CrashSubject } from '../../../packages/engine/src/testing/crash-subject.ts'

/**
 * The real pipeline as the subject of the crash harness: decoding, windows, features across windows, scores, alerts, late,
 * broken and doubled readings, silence. `node scripts/crash.ts --subject scripts/proofs/crash-plant/subject.ts`
 */
export const plan: Plan = definePlant({
  name: 'proof',
  channels: { temperature: { unit: '°C' }, vibration: { unit: 'mm/s' }, pressure: { unit: 'bar' } },
  cleaning: [{ channel: 'temperature', min: 0, max: 100 }],
  window: tumbling('5 s'),
  features: {
    tempStd: std('temperature'),
    vibration: mean('vibration'),
    pressure: lag(mean('pressure')),
  },
  model: 'proof',
  time: { grace: '1 s', allowedLateness: '5 s', silentAfter: '300 ms', forgetAfter: '30 s' },
})

const deviceCount = 200
const ids = Array.from({ length: deviceCount }, (_, device) => `press-${device}`)
const partitions = ids.map((id) => partitionOf(id, plan.partitionCount))
const startMs = 1_766_000_000_000

export const subject: CrashSubject = {
  child: new URL('./child.ts', import.meta.url),
  partitionCount: plan.partitionCount,
  createOperator: (_partition, sink) => buildOperator(plan, sink),
  loadModel: (_sha256, bytes) => loadPackage(bytes, plan),
  line: (n) => {
    if (n % 97 === 0) return { partition: 0, text: `{"deviceId":"press-1","broken ${n}` }
    const device = (Math.imul(n, 2_654_435_761) >>> 8) % deviceCount
    const noise = (Math.imul(n, 2_246_822_519) >>> 8) % 1000
    const late = n % 31 === 0 ? 4000 + noise * 9 : 0
    const timestamp = startMs + Math.floor(n / deviceCount) * 1000 - late
    const temperature = n % 53 === 0 ? 140 : 40 + noise / 100
    const reading = {
      deviceId: ids[device],
      timestamp,
      temperature,
      vibration: noise / 500,
      pressure: 4 + noise / 1e4,
      n,
    }
    return { partition: partitions[device] ?? 0, text: JSON.stringify(reading) }
  },
}
