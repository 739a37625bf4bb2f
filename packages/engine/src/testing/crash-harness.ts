import { spawn } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Phase } from '../phases.ts'
import type { CrashSubject } from './crash-subject.ts'
import { type CrashVerdict, verifyCrashes } from './crash-verify.ts'

/**
 * Kills a plant again and again at random moments, and then verifies what it left.
 *
 * Method: each run of the plant gets a phase as its target, the one hit least so far. After a random while the harness
 * waits for that phase to begin, waits a random moment more, and sends SIGKILL. Which phases were really open when the
 * process died follows from everything it had said until its output ended: only that counts as a hit. Some runs are ended by
 * SIGTERM instead, which must take less than five seconds.
 */
export interface CrashOptions {
  readonly subject: CrashSubject
  /** A folder that is emptied first. */
  readonly root: string
  readonly killCount: number
  readonly seed: number
  /** Fewer hits than this in any phase are a problem. */
  readonly hitsMin: number
  /** Each so many runs one is ended by SIGTERM. Default 10. */
  readonly terminateEvery?: number
  readonly onRun?: (run: CrashRun) => void
}

export interface CrashRun {
  readonly number: number
  readonly target: Phase
  /** Phases that were open when the process died; `null` for a run that was ended by SIGTERM. */
  readonly hit: readonly Phase[] | null
}

export interface CrashReport extends CrashVerdict {
  readonly seed: number
  readonly kills: number
  readonly hits: Readonly<Record<Phase, number>>
  readonly terminations: number
  readonly terminationMsMax: number
  readonly acknowledgedCount: number
}

const phases: readonly Phase[] = ['ingestion', 'processing', 'snapshot', 'retention']
const terminationMsLimit = 5000
/** A plant that says nothing of what the harness waits for is killed all the same. */
const patienceMs = 20_000
/** A start recovers first: on a machine with ten times its load that takes a minute. */
const startPatienceMs = 120_000

export async function runCrashes(options: CrashOptions): Promise<CrashReport> {
  const { subject, root, killCount, seed, hitsMin, terminateEvery = 10 } = options
  rmSync(root, { recursive: true, force: true })
  mkdirSync(root, { recursive: true })
  const chance = generator(seed)
  const hits: Record<Phase, number> = { ingestion: 0, processing: 0, snapshot: 0, retention: 0 }
  const acknowledged = new Set<number>()
  const problems: string[] = []
  let kills = 0
  let terminations = 0
  let terminationMsMax = 0
  for (let number = 1; kills < killCount; number++) {
    const plant = new PlantProcess(subject, root, String(Math.floor(chance() * 2 ** 31)), acknowledged)
    const target = phases.reduce((least, phase) => (hits[phase] < hits[least] ? phase : least))
    await plant.ready()
    await pause(chance() * 300)
    if (number % terminateEvery === 0) {
      const tookMs = await plant.terminate()
      terminations += 1
      terminationMsMax = Math.max(terminationMsMax, tookMs)
      if (plant.exitCode !== 0) problems.push(`a plant that got SIGTERM ended with ${plant.exitCode}: ${plant.errors}`)
      options.onRun?.({ number, target, hit: null })
      continue
    }
    await plant.begins(target)
    await pause(chance() * 2)
    await plant.kill()
    kills += 1
    const hit = plant.openPhases()
    for (const phase of hit) hits[phase] += 1
    if (plant.errors !== '') problems.push(`a plant said: ${plant.errors}`)
    options.onRun?.({ number, target, hit })
  }
  const last = new PlantProcess(subject, root, 'drain', acknowledged)
  await last.ended()
  if (last.exitCode !== 0) problems.push(`the plant that was to finish ended with ${last.exitCode}: ${last.errors}`)
  if (terminationMsMax > terminationMsLimit) problems.push(`SIGTERM took ${Math.round(terminationMsMax)} ms`)
  for (const phase of phases)
    if (hits[phase] < hitsMin) problems.push(`${hits[phase]} hits in ${phase}, wanted ${hitsMin}`)
  const verdict = await verifyCrashes(root, subject, acknowledged)
  return {
    ...verdict,
    problems: [...problems, ...verdict.problems],
    seed,
    kills,
    hits,
    terminations,
    terminationMsMax,
    acknowledgedCount: acknowledged.size,
  }
}

/** One run of the plant, and what it has said so far. */
class PlantProcess {
  readonly #child
  readonly #acknowledged: Set<number>
  readonly #open = new Map<string, number>()
  readonly #ended = Promise.withResolvers<void>()
  #rest = ''
  #errors = ''
  #isReady = false
  #isEnded = false
  #onLine: (() => void) | null = null
  #begun: string | null = null

  constructor(subject: CrashSubject, root: string, seed: string, acknowledged: Set<number>) {
    this.#acknowledged = acknowledged
    this.#child = spawn(process.execPath, [fileURLToPath(subject.child), join(root, 'data'), seed], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child.stdout.on('data', (data: Buffer) => this.#read(data.toString()))
    this.#child.stderr.on('data', (data: Buffer) => {
      this.#errors += data.toString()
    })
    this.#child.once('close', () => {
      this.#isEnded = true
      this.#ended.resolve()
      this.#onLine?.()
    })
  }

  get exitCode(): number | null {
    return this.#child.exitCode
  }

  get errors(): string {
    return this.#errors.slice(0, 2000)
  }

  async ended(): Promise<void> {
    await this.#ended.promise
  }

  /** Resolves when the plant can append. @throws When it ends before. */
  async ready(): Promise<void> {
    await this.#until(() => this.#isReady, startPatienceMs)
    if (!this.#isReady) throw new Error(`the plant ended with ${this.exitCode} before it was ready: ${this.errors}`)
  }

  /** Resolves when a phase begins, at the latest when patience is at its end. */
  async begins(phase: Phase): Promise<void> {
    this.#begun = null
    await this.#until(() => this.#begun === phase)
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended()
  }

  /** @returns How long it took, milliseconds. */
  async terminate(): Promise<number> {
    const startedMs = performance.now()
    this.#child.kill('SIGTERM')
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 2 * terminationMsLimit)
    await this.ended()
    clearTimeout(late)
    return performance.now() - startedMs
  }

  /** Phases that had begun and not ended. */
  openPhases(): Phase[] {
    return phases.filter((phase) => [...this.#open].some(([key, count]) => key.startsWith(phase) && count > 0))
  }

  async #until(isSo: () => boolean, waitMsMax = patienceMs): Promise<void> {
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), waitMsMax)
    while (!isSo() && !this.#isEnded)
      await new Promise<void>((resolve) => {
        this.#onLine = resolve
      })
    this.#onLine = null
    clearTimeout(patience)
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#hear(line.split(' '))
    this.#onLine?.()
  }

  #hear([what = '', ...words]: string[]): void {
    if (what === 'ready') this.#isReady = true
    else if (what === 'ack') {
      for (let n = Number(words[0]); n <= Number(words[1]); n++) this.#acknowledged.add(n)
    } else if (what === 'phase') {
      const [phase = '', edge, partition] = words
      const key = `${phase} ${partition}`
      this.#open.set(key, edge === 'begin' ? 1 : 0)
      if (edge === 'begin') this.#begun = phase
    }
  }
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs))
}

/** 0..1; random enough to choose moments. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
