import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What a proof has at hand while it runs. */
export interface Proof {
  /** A temporary folder, gone at the end. */
  readonly folder: string
  /** Notes whether a claim holds, and prints it. A proof goes on after one that does not, so that all are seen. */
  check(holds: boolean, claim: string): void
  say(text: string): void
  /** Has something done at the end, however it comes: the last asked for first. */
  onEnd(act: () => void): void
}

/** Exit code of what was not tried, as Automake and Meson have it: neither proven nor refuted. */
export const skippedExitCode = 77

/** Why a proof cannot be made here: a tool, a permission or an oracle is missing. Ends with `skippedExitCode`, and says so. */
export class NotPossibleHere extends Error {}

/** The proof was made, or not, by another process that this one started; it has said all there is to say. */
export class MadeElsewhere extends Error {
  readonly exitCode: number

  constructor(exitCode: number) {
    super('made elsewhere')
    this.exitCode = exitCode
  }
}

/**
 * Runs a proof as the whole of this process: prints what was measured, and ends with 1 when a claim does not hold, when
 * something was thrown, or when it takes longer than it may.
 */
export async function prove(name: string, secondsMax: number, body: (proof: Proof) => Promise<void>): Promise<void> {
  const startedMs = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'millwright-proof-'))
  const endings: (() => void)[] = [() => rmSync(folder, { recursive: true, force: true })]
  let claims = 0
  let failures = 0
  const end = (): void => {
    for (const act of endings.splice(0).reverse()) act()
  }
  const finish = (text: string, exitCode: number): void => {
    end()
    process.stdout.write(`${name}: ${text} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)\n`)
    process.exitCode = exitCode
  }
  const alarm = setTimeout(() => {
    finish(`NOT PROVEN: not done after ${secondsMax} s`, 1)
    process.exit(1)
  }, secondsMax * 1000)
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      finish(`NOT PROVEN: ended by ${signal}`, 1)
      process.exit(1)
    })
  try {
    await body({
      folder,
      check(holds, claim) {
        claims += 1
        if (!holds) failures += 1
        process.stdout.write(`  ${holds ? 'holds' : 'DOES NOT HOLD'}: ${claim}\n`)
      },
      say: (text) => void process.stdout.write(`  ${text}\n`),
      onEnd: (act) => void endings.push(act),
    })
    if (claims === 0) finish('NOT PROVEN: nothing was checked', 1)
    else if (failures > 0) finish(`NOT PROVEN: ${failures} of ${claims} claims do not hold`, 1)
    else finish(`proven, ${claims} claims`, 0)
  } catch (error) {
    if (error instanceof MadeElsewhere) {
      end()
      process.exitCode = error.exitCode
    } else if (error instanceof NotPossibleHere) finish(`skipped: ${error.message}`, skippedExitCode)
    else finish(`NOT PROVEN: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, 1)
  } finally {
    clearTimeout(alarm)
  }
  // What a proof left under way when it ended early must not keep it waiting.
  process.stdout.write('', () => process.exit())
}

/** The value of `--name` on the command line, a whole number; `otherwise` where it is not given. */
export function numberArgument(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`)
  if (at < 0) return otherwise
  const value = Number(process.argv[at + 1])
  if (!Number.isInteger(value)) throw new Error(`--${name} wants a whole number: found ${process.argv[at + 1]}`)
  return value
}

/** The value of `--name` on the command line; `otherwise` where it is not given. */
export function textArgument(name: string, otherwise: string): string {
  const at = process.argv.indexOf(`--${name}`)
  if (at < 0) return otherwise
  const value = process.argv[at + 1]
  if (value === undefined || value.startsWith('--')) throw new Error(`--${name} wants a value`)
  return value
}

/** Resolves after a time. */
export function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs))
}

/** Asks again and again until the answer is not `null`. @throws When it still is after the time. */
export async function eventually<T>(what: string, secondsMax: number, ask: () => Promise<T | null>): Promise<T> {
  const deadlineMs = performance.now() + secondsMax * 1000
  for (;;) {
    const answer = await ask()
    if (answer !== null) return answer
    if (performance.now() > deadlineMs) throw new Error(`${what}: not so after ${secondsMax} s`)
    await pause(20)
  }
}

/** Seeded chance in [0, 1): the splitmix32 generator. */
export function seededChance(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return ((z ^ (z >>> 15)) >>> 0) / 4_294_967_296
  }
}
