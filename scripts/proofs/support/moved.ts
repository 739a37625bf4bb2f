import { eventually, type Proof, pause } from './proof.ts'

/** Each of these things takes seconds; where others use the machine, longer. */
export const patienceSeconds = 120

/** Asks until something is so, and says how long it took; a claim that does not hold in time fails the proof and does not end it. */
export async function moved(proof: Proof, claim: string, ask: () => Promise<boolean>): Promise<void> {
  const startedMs = performance.now()
  const holds = await eventually(claim, patienceSeconds, async () => {
    if (await ask()) return true
    await pause(300)
    return null
  }).catch(() => false)
  proof.check(holds, `${claim} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`)
}

/**
 * Rules and scrapes in seconds, where they are shipped in minutes.
 *
 * @param forSeconds How long a condition has to hold until its alert fires.
 */
export function shortened(text: string, forSeconds = 0): string {
  return text
    .replace(/(scrape|evaluation)_interval: 15s/g, '$1_interval: 1s')
    .replace(/\[(?:5|10|15)m\]/g, '[10s]')
    .replace(/^( {8}for:) .*$/gm, `$1 ${forSeconds}s`)
}
