/**
 * Proof: what an alert policy spares people, and what it costs. Plants of 24 simulated presses, five days each, in which bearings wear
 * until their machines break, other machines leak (which the model was never taught), and sound ones are shaken now and then for
 * some minutes, as by a fork-lift or a hammer. The same readings go through the plant's operators and its fold of cases under each
 * policy, with people who go and look two hours after a case is opened; then cases, precision, recall and lead time are counted against
 * the ground truth. Each plant's model learnt from five earlier days of the same machines, in which the same two bearings wore out. No
 * clock, no process: a pure fold, the same on every machine.
 *
 *   node scripts/proofs/alert-policies.ts [--plants 2] [--shake-minutes 8] [--seed 1]
 */
import type { Plan } from '@millwright/core'
import { definePlant, mean, type PlantSettings, std, tumbling } from '@millwright/plant'
import { createSimulation, type Simulation } from '@millwright/simulator'
import { failureMs, PolicyFold, type Score } from './plant-day/policy-fold.ts'
import { trainWearModel } from './plant-day/wear-model.ts'
import { numberArgument, prove, seededChance } from './support/proof.ts'

type AlertSettings = NonNullable<PlantSettings<'temperature' | 'vibration' | 'pressure'>['alert']>

const plantCount = numberArgument('plants', 2)
const seed = numberArgument('seed', 1)
const hourMs = 3_600_000
const dayMs = 24 * hourMs
const runMs = 5 * dayMs
const deviceCount = 24
/** Five readings a window. */
const ratePerDeviceHz = 1 / 60
/** Wednesday, 7 January 2026. */
const startMs = 1_767_744_000_000
/** Five days that begin on a Monday a month before: other readings, of the same machines. */
const learntFromMs = startMs - 30 * dayMs
/** Readings come so often together. */
const sliceMs = 300_000
const shakesPerMachine = 2
const shakeMs = { min: 3 * 60_000, max: numberArgument('shake-minutes', 8) * 60_000 }
const shakeMmPerS = { min: 2, max: 6 }

const policies: readonly (readonly [name: string, alert: AlertSettings])[] = [
  ['the threshold alone', { threshold: 0.8 }],
  ['3 of 5 windows', { threshold: 0.8, windows: { high: 3, of: 5 } }],
  ['3 of 5, ends at 0.5', { threshold: 0.8, windows: { high: 3, of: 5 }, clearThreshold: 0.5 }],
  [
    '6 of 8, ends at 0.5, at least 30 min',
    { threshold: 0.8, windows: { high: 6, of: 8 }, clearThreshold: 0.5, minimumDuration: '30 min' },
  ],
]

await prove('alert-policies', 1800, async (proof) => {
  const plain = planOf({ threshold: 0.8 })
  const runs = policies.map(([name, alert]) => ({ name, plan: planOf(alert), marked: alert.windows !== undefined }))
  const scores = runs.map((): Score => {
    return { cases: 0, right: 0, raised: 0, wears: 0, told: 0, leaks: 0, leaksTold: 0, leadMs: [] }
  })
  for (let plant = 1; plant <= plantCount; plant++) {
    const plantSeed = seed + 1000 * plant
    const { bytes, rowCount, positiveCount } = trainWearModel(
      plain,
      plantOf(plantSeed, learntFromMs, 2),
      `plant-${plant}`,
    )
    proof.say(
      `plant ${plant}: its model learnt from ${rowCount} windows of its own, ${positiveCount} of a worn bearing`,
    )
    const week = plantOf(plantSeed, startMs, 2, 1)
    const folds = runs.map(({ plan, marked }) => new PolicyFold(plan, bytes, marked, week.groundTruth()))
    for (const slice of slicesOf(week, seed + plant)) for (const fold of folds) fold.take(slice.lines, slice.atMs)
    for (const [i, fold] of folds.entries()) fold.addTo(scores[i] as Score)
  }
  const machineWeeks = (plantCount * deviceCount * runMs) / (7 * dayMs)
  proof.say(`${machineWeeks.toFixed(0)} machine-weeks, ${scores[0]?.wears} worn bearings, ${scores[0]?.leaks} leaks`)
  proof.say(
    '| policy | alerts raised | cases | cases per machine-week | precision | worn bearings told | leaks told | lead time, median |',
  )
  proof.say('| --- | --- | --- | --- | --- | --- | --- | --- |')
  for (const [i, { name }] of runs.entries()) proof.say(rowOf(name, scores[i] as Score, machineWeeks))
  const [alone, kOfN] = scores as [Score, Score]
  proof.check(kOfN.cases < alone.cases, `3 of 5 has fewer cases: ${kOfN.cases} of ${alone.cases}`)
  proof.check(precision(kOfN) > precision(alone), 'and a greater share of them is right')
  proof.check(kOfN.told === alone.told, `and it tells of as many worn bearings before they break: ${kOfN.told}`)
})

/** Five days of a plant; a seed has the same machines at any time. Of some machines a bearing wears, of some there is a leak. */
function plantOf(plantSeed: number, fromMs: number, worn: number, leaking = 0): Simulation {
  return createSimulation({
    seed: plantSeed,
    deviceCount,
    ratePerDeviceHz,
    startMs: fromMs,
    durationMs: runMs,
    deviceIdPrefix: 'press-',
    faults: [
      { kind: 'bearing-wear', share: worn / deviceCount },
      { kind: 'leak', share: leaking / deviceCount },
    ],
  })
}

function planOf(alert: AlertSettings): Plan {
  return definePlant({
    name: 'alert-policies',
    channels: {
      temperature: { unit: '°C', min: 0, max: 100 },
      vibration: { unit: 'mm/s', min: 0 },
      pressure: { unit: 'bar', min: 0 },
    },
    cleaning: [{ channel: 'temperature', min: 0, max: 100 }],
    window: tumbling('5 min'),
    features: { tempStd: std('temperature'), vibration: mean('vibration'), pressure: mean('pressure') },
    model: 'bearing-wear',
    alert,
  })
}

interface Slice {
  readonly lines: Uint8Array
  readonly atMs: number
}

/** The readings of a week, five minutes at a time: shaken machines are shaken, broken ones stand still. */
function* slicesOf(week: Simulation, shakeSeed: number): Generator<Slice> {
  const faults = new Map(week.groundTruth().map((fault) => [fault.deviceId, fault]))
  const shakes = shakesOf(shakeSeed)
  let lines: string[] = []
  let untilMs = startMs + sliceMs
  for (const { deviceId, arrivalMs, line } of week) {
    if (arrivalMs >= untilMs) {
      if (lines.length > 0) yield { lines: Buffer.from(`${lines.join('\n')}\n`), atMs: untilMs }
      lines = []
      untilMs += sliceMs
    }
    const fault = faults.get(deviceId)
    if (fault !== undefined && arrivalMs >= failureMs(fault)) continue
    const shake = shakes.get(deviceId)?.find(({ fromMs, toMs }) => arrivalMs >= fromMs && arrivalMs < toMs)
    lines.push(shake === undefined ? line : shaken(line, shake.byMmPerS))
  }
  yield { lines: Buffer.from(`${lines.join('\n')}\n`), atMs: untilMs }
}

interface Shake {
  readonly fromMs: number
  readonly toMs: number
  readonly byMmPerS: number
}

function shakesOf(shakeSeed: number): Map<string, Shake[]> {
  const chance = seededChance(shakeSeed)
  const between = ({ min, max }: { readonly min: number; readonly max: number }): number => min + chance() * (max - min)
  const shakes = new Map<string, Shake[]>()
  for (let device = 0; device < deviceCount; device++)
    shakes.set(
      `press-${String(device).padStart(2, '0')}`,
      Array.from({ length: shakesPerMachine }, () => {
        const fromMs = between({ min: startMs, max: startMs + runMs })
        return { fromMs, toMs: fromMs + between(shakeMs), byMmPerS: between(shakeMmPerS) }
      }),
    )
  return shakes
}

function shaken(line: string, byMmPerS: number): string {
  const reading = JSON.parse(line) as { vibration: number }
  return JSON.stringify({ ...reading, vibration: Number((reading.vibration + byMmPerS).toFixed(3)) })
}

function precision({ cases, right }: Score): number {
  return right / cases
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}

function rowOf(name: string, score: Score, machineWeeks: number): string {
  const { raised, cases, told, wears, leaks, leaksTold, leadMs } = score
  const columns = [
    name,
    raised,
    cases,
    (cases / machineWeeks).toFixed(2),
    precision(score).toFixed(2),
    `${told} of ${wears}`,
    `${leaksTold} of ${leaks}`,
    `${(median(leadMs) / hourMs).toFixed(1)} h`,
  ]
  return `| ${columns.join(' | ')} |`
}
