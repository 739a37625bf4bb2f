import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { benchScratch } from './machine.ts'
import type { Goal, Report } from './report.ts'

const script = join(import.meta.dirname, '../scripts/proofs/swap.ts')

/**
 * Models with opposite answers, published while readings flow: the proof of that is a script of its own, which also audits
 * every window. Here it runs once, and what it says is the table.
 *
 * @throws When there is no such script.
 */
export async function benchSwap(swapCount: number): Promise<Report> {
  if (!existsSync(script)) throw new Error(`${script} is not there`)
  const child = spawn(process.execPath, [script, '--swaps', String(swapCount)], {
    env: { ...process.env, TMPDIR: benchScratch },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  const lines = said.trim().split('\n')
  const goals: Goal[] = [{ wanted: 'the proof is made', found: lines.at(-1) ?? 'nothing said', met: code === 0 }]
  // Published to be in force at once: what is measured is the swap, not the moment that was chosen for it.
  const atOnce = /in force as soon as seen: .*first alert by the new version p50 ([\d.]+) ms, p99 ([\d.]+) ms/.exec(
    said,
  )
  const p99Ms = Number(atOnce?.[2] ?? Number.NaN)
  if (atOnce !== null)
    goals.push({
      wanted: 'from publishing to the first alert by the new version < 100 ms',
      found: `p50 ${atOnce[1]} ms, p99 ${atOnce[2]} ms`,
      met: p99Ms < 100,
    })
  return {
    title: `Model swap, ${swapCount} swaps under load (scripts/proofs/swap.ts)`,
    header: ['what the proof says'],
    rows: lines.map((line) => [line.trim()]),
    goals,
    notes: [],
    figures: atOnce === null ? [] : [{ name: 'swap p99', value: p99Ms, unit: 'ms' }],
  }
}
