import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type ConformanceEngine,
  checkScript,
  createDirectEngine,
  createNaiveEngine,
  exactDifference,
  type FlowScript,
  parseFlowScript,
  plainDecoder,
  type RunResult,
} from '@millwright/testkit'
import { describe, expect, test } from 'vitest'
import { asAPlantHasIt, outputsBefore } from './as-a-plant-has-it.ts'
import { createMemoryEngine, createPowerCutEngine, createWorkerEngine } from './embedded-engine.ts'

const scriptFolder = join(import.meta.dirname, 'scripts')
const goldenFolder = join(import.meta.dirname, 'golden')
const names = readdirSync(scriptFolder)
  .filter((name) => name.endsWith('.flow'))
  .map((name) => name.replace(/\.flow$/, ''))
  .sort()

function readScript(name: string): FlowScript {
  return parseFlowScript(readFileSync(join(scriptFolder, `${name}.flow`), 'utf8'))
}

/** The messages of a run as a golden file has them: one a line, in the order they came out. */
function goldenText(result: RunResult): string {
  return result.outputs.map(({ topic, deviceId, line }) => `${JSON.stringify({ topic, deviceId })}\t${line}\n`).join('')
}

const engines = [
  createDirectEngine(),
  { ...createDirectEngine({ createDecoder: plainDecoder }), name: 'direct with the plain decoder' },
  {
    ...createDirectEngine({ restartAfter: () => true }),
    name: 'direct with a snapshot and a restore after every step',
  },
]

describe.each(engines)('$name engine', (engine) => {
  test.each(names)('%s.flow', async (name) => {
    const script = readScript(name)
    const result = await engine.run(script.plan, script.steps)
    expect(checkScript(script, result)).toEqual([])
    const goldenPath = join(goldenFolder, `${name}.golden`)
    if (process.env['MILLWRIGHT_UPDATE_GOLDEN'] === '1' && engine.name === 'direct')
      writeFileSync(goldenPath, goldenText(result))
    expect(goldenText(result)).toBe(readFileSync(goldenPath, 'utf8'))
  })
})

/** Scripts that say more than the naive operator does, and why. */
const beyondNaive: ReadonlyMap<string, string> = new Map([
  ['malformed-input', 'its dead letters have no bytes'],
  ['device-events-malformed', 'it takes well-formed events only'],
  ['devices-max', 'it knows no bound of devices'],
  ['future-guard', 'its dead letters have no topic'],
  ['jump-refused', 'its dead letters have no bytes'],
])

test.each(names.filter((name) => !beyondNaive.has(name)))('naive operator: %s.flow', async (name) => {
  const script = readScript(name)
  const counted = script.counters.filter(({ value }) => value !== 0)
  const result = await createNaiveEngine().run(script.plan, script.steps)
  expect(checkScript({ ...script, counters: counted }, result)).toEqual([])
})

/** Scripts that say what happens where there is no log, and why a plant cannot show it. */
const beyondPlants: ReadonlyMap<string, string> = new Map([
  ['activation-replay', 'every record of a log has an append time'],
  ['replay', 'every record of a log has an append time'],
])
const plantNames = names.filter((name) => !beyondPlants.has(name))

/**
 * Runs a script as a plant has it, and expects what the direct engine gives, which is held to the golden file above; and what
 * the script says, where nothing was left out of it.
 */
async function expectInAPlant(
  name: string,
  engine: ConformanceEngine,
  isCounted: (counter: string) => boolean = () => true,
): Promise<void> {
  const asWritten = readScript(name)
  const { script, isWhole } = asAPlantHasIt(asWritten)
  const direct = await createDirectEngine().run(asWritten.plan, asWritten.steps)
  const result = await engine.run(script.plan, script.steps)
  expect(exactDifference(result, outputsBefore(direct, script.steps.length), { places: true })).toBeNull()
  const counters = script.counters.filter((counter) => isCounted(counter.name))
  if (isWhole) expect(checkScript({ ...script, counters }, result)).toEqual([])
}

describe.each([createMemoryEngine(), createPowerCutEngine()])('$name engine', (engine) => {
  test.each(plantNames)('%s.flow', async (name) => {
    await expectInAPlant(name, engine)
  })
})

/** A bound that a plan gives each partition, so that two of them together say something else. */
const beyondTwoPartitions: ReadonlySet<string> = new Set(['devices-max'])

describe('embedded engine with the door, two partitions and a worker thread', () => {
  test.each(plantNames.filter((name) => !beyondTwoPartitions.has(name)))('%s.flow', async (name) => {
    const engine = createWorkerEngine(join(scriptFolder, `${name}.flow`))
    // Every partition counts the activations that it sees.
    await expectInAPlant(name, engine, (counter) => !counter.startsWith('model_activations'))
  })
})
