import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type PlantProcess, startPlant } from '../../../bench/plant-process.ts'
import type { Proof } from './proof.ts'

const preloads = ['slow-disk', 'skewed-clock', 'ending-watcher'] as const

/** Faults of the process itself, put in and taken out while the plant runs. The plant is as it is shipped; what fails is what it calls. */
export class ProcessFaults {
  readonly #folder: string

  /** @param folder For the files that the plant's process looks at. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** Each sync to disk takes so many milliseconds longer; `null`: as it is. */
  slowDisk(byMs: number | null): void {
    this.#set('slow-disk', byMs)
  }

  /** The clock is so many milliseconds behind; `null`: as it is. */
  clockBack(byMs: number | null): void {
    this.#set('clock-back', byMs)
  }

  /** The watcher's thread ends, once. */
  endWatcher(): void {
    this.#set('end-watcher', 1)
  }

  /** What the plant's process is started with. */
  wrapper(): readonly string[] {
    const imports = preloads.map((name) => `--import=${new URL(`./${name}.ts`, import.meta.url).href}`)
    return [
      'env',
      `NODE_OPTIONS=${imports.join(' ')}`,
      `MILLWRIGHT_PROOF_SLOW_DISK=${join(this.#folder, 'slow-disk')}`,
      `MILLWRIGHT_PROOF_CLOCK_BACK=${join(this.#folder, 'clock-back')}`,
      `MILLWRIGHT_PROOF_END_WATCHER=${join(this.#folder, 'end-watcher')}`,
    ]
  }

  #set(name: string, value: number | null): void {
    if (value === null) rmSync(join(this.#folder, name), { force: true })
    else writeFileSync(join(this.#folder, name), String(value))
  }
}

/** Starts a plant in whose process faults can be put, at a port of its own, so that it is found there again. */
export async function startFaultyPlant(
  proof: Proof,
  faults: ProcessFaults,
  where: { readonly project: string; readonly data: string; readonly port: number },
): Promise<PlantProcess> {
  const { project, data, port } = where
  const plant = await startPlant({
    project,
    dataDirectory: data,
    args: ['--port', String(port)],
    wrapper: faults.wrapper(),
  })
  proof.onEnd(() => {
    if (plant.process.exitCode === null && plant.process.signalCode === null) plant.process.kill('SIGKILL')
  })
  return plant
}

/** Ends a plant as a power cut would (`kill -9`). */
export async function killPlant(plant: PlantProcess): Promise<void> {
  const ended = new Promise((resolve) => plant.process.once('exit', resolve))
  plant.process.kill('SIGKILL')
  await ended
}
