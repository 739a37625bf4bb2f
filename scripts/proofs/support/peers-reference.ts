import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { peersFolder, pythonWithOracles } from '../../../bench/peers.ts'
import { NotPossibleHere, type Proof } from './proof.ts'

const featureError = 1e-9
const word = new DataView(new ArrayBuffer(4))

/** What the reference says of one window. */
interface ReferenceWindow {
  readonly features: readonly number[]
  readonly probability: number
  seen: boolean
}

/** The peers' batch truth (pandas windows, XGBoost probabilities), against which alerts are held one by one. */
export class PeersReference {
  readonly #windows: ReadonlyMap<string, ReferenceWindow>
  #doubled = 0
  #strange = 0
  #worst = 0
  #otherBits = 0

  /** @param path The CSV that `peersReference` makes. */
  constructor(path: string) {
    this.#windows = readReference(path)
  }

  /** Takes a record of `alert-signals`. */
  take(line: string): void {
    const { deviceId, windowStart, probability, features } = JSON.parse(line) as {
      deviceId: string
      windowStart: number
      probability: number
      features: { tempStd: number; vibration: number; pressure: number }
    }
    const window = this.#windows.get(`${deviceId} ${windowStart}`)
    if (window === undefined) {
      this.#strange += 1
      return
    }
    if (window.seen) this.#doubled += 1
    window.seen = true
    const own = [features.tempStd, features.vibration, features.pressure]
    for (const [i, value] of own.entries())
      this.#worst = Math.max(this.#worst, relativeError(value, window.features[i] as number))
    if (bitsOf(probability) !== bitsOf(window.probability)) this.#otherBits += 1
  }

  /** Says what was found. */
  report(proof: Proof): void {
    const missing = [...this.#windows.values()].filter(({ seen }) => !seen).length
    proof.check(
      this.#windows.size > 0 && missing === 0,
      `all ${this.#windows.size} windows of the reference are there (${missing} missing)`,
    )
    proof.check(this.#strange === 0, `no window is there that the reference has not (${this.#strange})`)
    proof.check(this.#doubled === 0, `no window is there twice (${this.#doubled})`)
    proof.check(
      this.#worst <= featureError,
      `features agree to ${featureError} relative (worst ${this.#worst.toExponential(1)})`,
    )
    proof.check(this.#otherBits === 0, `probabilities have the same bits (${this.#otherBits} have not)`)
  }
}

/** @throws {NotPossibleHere} Where the peers' input or their truth cannot be made. */
export function requireOracles(): void {
  if (peersFolder() === null) throw new NotPossibleHere('there is no folder of peers beside the repository')
  if (spawnSync('go', ['version']).status !== 0) throw new NotPossibleHere("there is no Go for the peers' generator")
  const python = pythonWithOracles()
  if (python === null)
    throw new NotPossibleHere('there is no Python with the oracles: CONTRIBUTING.md says how to have one')
  if (spawnSync(python, ['-c', 'import pandas, xgboost, orjson']).status !== 0)
    throw new NotPossibleHere(`${python} has no pandas, xgboost or orjson`)
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
