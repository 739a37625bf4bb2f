import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type PlantProcess, startPlant } from '../../../bench/plant-process.ts'
import type { Proof } from './proof.ts'

/** Length of a window of the proofs' plant, milliseconds: short, so that many close. */
export const windowMs = 1000

/**
 * Writes the project that the proofs run: three channels, windows of a second, no grace.
 *
 * @param extra Further fields of the plant.
 * @returns Its folder.
 */
export function writeProofProject(folder: string, model: Uint8Array | null, sinks = '[]', extra = ''): string {
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'millwright.config.ts'),
    `import { definePlant, mean, std, tumbling } from '@millwright/plant'

export default definePlant({
  name: 'proof-plant',
  channels: { temperature: { unit: '°C' }, vibration: { unit: 'mm/s' }, pressure: { unit: 'bar' } },
  cleaning: [{ channel: 'temperature', min: 0, max: 100 }],
  window: tumbling('1 s'),
  features: { tempStd: std('temperature'), vibration: mean('vibration'), pressure: mean('pressure') },
  model: 'proof',
  alert: { threshold: 0.8 },
  time: { grace: '0 s' },
  sinks: ${sinks},
  ${extra}
})
`,
  )
  if (model !== null) writeFileSync(join(folder, 'model.mwmodel'), model)
  return folder
}

/** Starts the plant of a project as a user would, and sees to it that it is gone when the proof ends. */
export async function startProofPlant(
  proof: Proof,
  project: string,
  dataDirectory: string,
  args: readonly string[] = [],
  wrapper: readonly string[] = [],
): Promise<PlantProcess> {
  const plant = await startPlant({ project, dataDirectory, args, wrapper })
  proof.onEnd(() => {
    if (plant.process.exitCode === null && plant.process.signalCode === null) plant.process.kill('SIGKILL')
  })
  return plant
}

/** What the plant said to one request; status 0 where there was no answer at all. */
export interface PostAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/** Sends lines of readings. Never throws: a plant that is gone, or goes, is one of the answers. */
export async function postReadings(url: string, lines: string): Promise<PostAnswer> {
  return await post(`${url}/api/readings`, 'application/x-ndjson', Buffer.from(lines))
}

/** Sends bytes. Never throws. */
export async function post(url: string, contentType: string, body: Uint8Array<ArrayBuffer>): Promise<PostAnswer> {
  try {
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': contentType }, body })
    return {
      status: answer.status,
      contentType: answer.headers.get('content-type') ?? '',
      body: await answer.text(),
    }
  } catch (error) {
    return { status: 0, contentType: '', body: error instanceof Error ? error.message : String(error) }
  }
}

/** Whether an answer acknowledges all lines of a request. @throws When it refuses some, which the proofs never send. */
export function isAcknowledged(answer: PostAnswer, lineCount: number): boolean {
  if (answer.status !== 202) return false
  const { accepted } = JSON.parse(answer.body) as { accepted: number }
  if (accepted !== lineCount) throw new Error(`of ${lineCount} lines ${accepted} were accepted: ${answer.body}`)
  return true
}
