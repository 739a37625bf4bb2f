import type { DeviceFeatures, Plan } from '@millwright/core'
import { compileScorer, makeBaseline, makeGoldenRows, packModel, readXgboostModel } from '@millwright/scoring'
import { type Simulation, simulatedLineBytesMax } from '@millwright/simulator'
import { nodeCrypto } from '../../../packages/cli/src/models/node-crypto.ts'
import { stumpModelFile } from '../../../packages/cli/src/models/stump-model-testing.ts'
import { buildOperator } from '../../../packages/cli/src/plant/build-operator.ts'
import { boostStumps } from './boosted-stumps.ts'

const stumpCount = 40
const baselineBins = 20
const chunkBytes = 1 << 20
/** From here on a worn bearing can be told from a sound one by those who listen; below, the label would be noise. */
const positiveFromSeverity = 0.65

export interface TrainedModel {
  readonly bytes: Uint8Array
  readonly rowCount: number
  readonly positiveCount: number
}

/**
 * Trains a model on a simulated week and packs it for the plan: windows of a bearing that is worn are positive, all others
 * negative. It learns from features that the plant's own operators made, and knows nothing of any other fault.
 */
export function trainWearModel(plan: Plan, week: Simulation, version: string): TrainedModel {
  if (plan.model === null) throw new Error('the plan names the model that is trained')
  const worn = new Map(week.groundTruth().map((fault) => [fault.deviceId, fault]))
  const windows = featuresOf(plan, week)
  const names = plan.features.map(({ name }) => name)
  const rows = Float32Array.from(windows.flatMap(({ features }) => names.map((name) => features[name] ?? Number.NaN)))
  const labels = Uint8Array.from(windows, ({ deviceId, windowEnd }) => {
    return (worn.get(deviceId)?.severityAt(windowEnd) ?? 0) >= positiveFromSeverity ? 1 : 0
  })
  const model = stumpModelFile(boostStumps(rows, labels, names.length, stumpCount), names.length)
  const scorer = compileScorer(readXgboostModel(model))
  const probabilities = new Float32Array(labels.length)
  scorer.score(rows, labels.length, probabilities)
  const bytes = packModel(
    {
      name: plan.model.name,
      version,
      createdBy: 'scripts/proofs/plant-day',
      objective: 'binary:logistic',
      features: plan.features.map(({ name, unit }) => ({ name, unit })),
      threshold: 0.8,
      baseline: makeBaseline(rows, names, baselineBins, probabilities),
      goldenRows: makeGoldenRows(scorer, rows),
      metrics: {},
      sourceDataSha256: null,
      model,
    },
    nodeCrypto,
  )
  return { bytes, rowCount: labels.length, positiveCount: labels.reduce((sum, label) => sum + label, 0) }
}

/** The windows that the plant's operators make of a simulation. */
export function featuresOf(plan: Plan, simulation: Simulation): DeviceFeatures[] {
  const windows: DeviceFeatures[] = []
  const operator = buildOperator(plan, {
    emit: (topic, _deviceId, _offset, line) => {
      if (topic === 'device-features') windows.push(JSON.parse(line) as DeviceFeatures)
    },
  })
  const chunk = new Uint8Array(Math.max(chunkBytes, simulatedLineBytesMax))
  let offset = 0
  for (let bytes = simulation.fill(chunk); bytes > 0; bytes = simulation.fill(chunk)) {
    const lines = chunk.slice(0, bytes)
    operator.readings(lines, offset, Number.NaN)
    offset += lines.reduce((count, byte) => count + (byte === 10 ? 1 : 0), 0)
  }
  operator.endOfInput(offset)
  operator.flush()
  return windows
}
