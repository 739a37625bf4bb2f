import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { splitModelPackage } from '../models/split-model-testing.ts'

/** Commands in processes of their own, as a user runs them, on a small project. */

/** The command line, as it is installed. */
export const main = join(import.meta.dirname, '../../bin/millwright.js')

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end. */
export async function millwright(...args: readonly string[]): Promise<CommandResult> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ])
  return { code, stdout, stderr }
}

/** Makes a project: three channels, windows of a minute, alerts where vibration is high. @returns Its folder. */
export function writeProject(folder: string, extra = ''): string {
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'millwright.config.ts'),
    `import { definePlant, mean, std, tumbling } from '@millwright/plant'
export default definePlant({
  name: 'press-shop',
  channels: { temperature: { unit: '°C' }, vibration: { unit: 'mm/s' } },
  cleaning: [{ channel: 'temperature', min: 0, max: 100 }],
  window: tumbling('1 min'),
  features: { tempStd: std('temperature'), vibration: mean('vibration') },
  model: 'press',
  alert: { threshold: 0.8 },
  csv: { delimiter: ';', decimal: ',', deviceId: { column: 'machine' }, timestamp: { column: 'time' }, channels: { temperature: 'temp', vibration: 'vib' } },
  ${extra}
})
`,
  )
  return folder
}

/** A package for {@link writeProject}: high risk where the mean vibration is at or above a value. */
export function pressPackage(version: string, riskyFrom = 2): Uint8Array {
  return splitModelPackage({
    name: 'press',
    version,
    features: [
      { name: 'tempStd', unit: '°C' },
      { name: 'vibration', unit: 'mm/s' },
    ],
    splitFeature: 1,
    splitAt: riskyFrom,
    below: -3,
    atOrAbove: 3,
    rows: [
      [0.1, 1],
      [0.2, 2],
      [0.3, 3],
    ],
  })
}

/** First moment of {@link pressLines}. */
export const pressStartMs = 1_767_571_200_000

/** Readings of two machines, one each ten seconds, from a minute to another; `press-2` shakes in every second minute. */
export function pressLines(fromMinute: number, toMinute: number): string[] {
  const lines: string[] = []
  for (
    let timestamp = pressStartMs + fromMinute * 60_000;
    timestamp < pressStartMs + toMinute * 60_000;
    timestamp += 10_000
  )
    for (const machine of [1, 2]) {
      const shakes = machine === 2 && Math.floor(timestamp / 60_000) % 2 === 1
      lines.push(
        `{"deviceId":"press-${machine}","timestamp":${timestamp},"temperature":${40 + ((timestamp / 10_000) % 7)},"vibration":${shakes ? 3.5 : 1.25}}`,
      )
    }
  return lines
}

/** Writes lines to a file. @returns Its path. */
export function writeLines(path: string, lines: readonly string[]): string {
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

/** All that a stream gives, as text. */
export async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  stream.setEncoding('utf8')
  for await (const part of stream) text += String(part)
  return text
}
