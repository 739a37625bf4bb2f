/**
 * Proof: on the peers' own input `millwright replay` gives the reference's windows, all of them and none twice; features to
 * 1e-9 relative; probabilities bit-equal to what XGBoost gives on the same float32 features.
 *
 *   node scripts/proofs/peers.ts [--lines 5000000]
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import {
  millwright,
  peersFolder,
  peersInput,
  peersReference,
  peersScratch,
  pythonWithOracles,
  referenceProject,
} from '../../bench/peers.ts'
import { NotPossibleHere, numberArgument, type Proof, prove } from './support/proof.ts'

const featureError = 1e-9
const word = new DataView(new ArrayBuffer(4))

/** What the reference says of one window. */
interface ReferenceWindow {
  readonly features: readonly number[]
  readonly probability: number
  seen: boolean
}

await prove('peers', 900, async (proof) => {
  const lineCount = numberArgument('lines', 1_000_000)
  requireOracles()
  const input = peersInput(lineCount)
  const reference = readReference(peersReference(input))
  const out = join(proof.folder, 'out')
  const model = join(peersScratch(), 'model.json')
  const startedMs = performance.now()
  const [program, ...args] = [
    ...millwright,
    'replay',
    referenceProject,
    '--input',
    input,
    '--out',
    out,
    '--model',
    model,
    '--json',
  ]
  const replay = spawn(program ?? '', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  proof.onEnd(() => void replay.kill('SIGKILL'))
  createInterface({ input: replay.stdout }).on('line', (line) => proof.say(line.replace(/,"files":.*/, '}')))
  const exit = await once(replay, 'close')
  proof.say(`replay of ${lineCount} lines took ${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
  proof.check(exit[0] === 0, 'the replay ends with 0')
  await compare(proof, join(out, 'alert-signals.ndjson'), reference)
})

async function compare(proof: Proof, path: string, reference: ReadonlyMap<string, ReferenceWindow>): Promise<void> {
  let doubled = 0
  let strange = 0
  let worst = 0
  let otherBits = 0
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const { deviceId, windowStart, probability, features } = JSON.parse(line) as {
      deviceId: string
      windowStart: number
      probability: number
      features: { tempStd: number; vibration: number; pressure: number }
    }
    const window = reference.get(`${deviceId} ${windowStart}`)
    if (window === undefined) {
      strange += 1
      continue
    }
    if (window.seen) doubled += 1
    window.seen = true
    const own = [features.tempStd, features.vibration, features.pressure]
    for (const [i, value] of own.entries()) worst = Math.max(worst, relativeError(value, window.features[i] as number))
    if (bitsOf(probability) !== bitsOf(window.probability)) otherBits += 1
  }
  const missing = [...reference.values()].filter(({ seen }) => !seen).length
  proof.check(
    reference.size > 0 && missing === 0,
    `all ${reference.size} windows of the reference are there (${missing} missing)`,
  )
  proof.check(strange === 0, `no window is there that the reference has not (${strange})`)
  proof.check(doubled === 0, `no window is there twice (${doubled})`)
  proof.check(worst <= featureError, `features agree to ${featureError} relative (worst ${worst.toExponential(1)})`)
  proof.check(otherBits === 0, `probabilities have the same bits (${otherBits} have not)`)
}

/** A value that is not a number is infinitely wrong: NaN passes no comparison, so it must not reach one. */
function relativeError(found: number, wanted: number): number {
  if (Object.is(found, wanted)) return 0
  const error = Math.abs(found - wanted) / Math.abs(wanted)
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error
}

function bitsOf(value: number): number {
  word.setFloat32(0, value)
  return word.getInt32(0)
}

function readReference(path: string): Map<string, ReferenceWindow> {
  const [header = '', ...rows] = readFileSync(path, 'utf8').trimEnd().split('\n')
  const names = header.split(',')
  const place = (name: string): number => {
    const at = names.indexOf(name)
    if (at < 0) throw new Error(`the reference has no column "${name}"`)
    return at
  }
  const [device, start, probability] = [place('d'), place('w'), place('p')]
  const features = ['tStd', 'vMean', 'pMean'].map(place)
  return new Map(
    rows.map((row): [string, ReferenceWindow] => {
      const cells = row.split(',')
      const value = (at: number): number => (cells[at] === '' ? Number.NaN : Number(cells[at]))
      return [
        `${cells[device]} ${cells[start]}`,
        { features: features.map(value), probability: value(probability), seen: false },
      ]
    }),
  )
}

function requireOracles(): void {
  if (peersFolder() === null) throw new NotPossibleHere('there is no folder of peers beside the repository')
  if (spawnSync('go', ['version']).status !== 0) throw new NotPossibleHere("there is no Go for the peers' generator")
  const python = pythonWithOracles()
  if (python === null)
    throw new NotPossibleHere('there is no Python with the oracles: CONTRIBUTING.md says how to have one')
  if (spawnSync(python, ['-c', 'import pandas, xgboost, orjson']).status !== 0)
    throw new NotPossibleHere(`${python} has no pandas, xgboost or orjson`)
}
