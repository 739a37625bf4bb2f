import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { benchScratch } from './machine.ts'
import { cpuSecondsOf, percentile } from './measure.ts'
import { followAlerts, ReadingsClient } from './plant-client.ts'
import { startPlant } from './plant-process.ts'
import { preparedProject } from './prepared-plant.ts'
import { atMost, type Report } from './report.ts'

const baseMs = 1_699_999_800_000

/**
 * From the start of the process to the first record of `alert-signals` at a subscriber: the data folder and the model
 * are there, and two readings, of which the second closes a window, are posted as soon as the plant says its address.
 */
export async function benchStart(runs: number): Promise<Report> {
  const project = await preparedProject()
  const folder = mkdtempSync(join(benchScratch, 'start-'))
  const dataDirectory = join(folder, 'data')
  const toPort: number[] = []
  const toAlert: number[] = []
  const cpuMs: number[] = []
  try {
    // Publishes the model, and lets Node keep what it compiled: what any but the very first start finds.
    await (await startPlant({ project, dataDirectory })).stop()
    for (let run = 0; run < runs; run++) {
      const beganMs = performance.now()
      const plant = await startPlant({ project, dataDirectory })
      const client = new ReadingsClient(plant.url, 1)
      try {
        toPort.push(performance.now() - beganMs)
        let told: (atMs: number) => void = () => undefined
        const alert = new Promise<number>((resolve) => {
          told = resolve
        })
        const deviceId = `start-${run}`
        const unfollow = await followAlerts(plant.url, (json, atMs) => {
          if (json.includes(`"${deviceId}"`)) told(atMs)
        })
        const line = (timestamp: number): string =>
          `{"deviceId":"${deviceId}","timestamp":${timestamp},"temperature":61.2,"vibration":2.31,"pressure":101}\n`
        await client.postUntilTaken(Buffer.from(line(baseMs) + line(baseMs + 305_000)))
        toAlert.push((await alert) - beganMs)
        cpuMs.push(cpuSecondsOf(plant.pid) * 1000)
        unfollow()
        await plant.stop()
      } finally {
        client.close()
        plant.process.kill('SIGKILL')
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const row = (name: string, times: readonly number[]): string[] => [
    name,
    percentile(times, 0.5).toFixed(0),
    Math.min(...times).toFixed(0),
    Math.max(...times).toFixed(0),
  ]
  const p50 = percentile(toAlert, 0.5)
  return {
    title: `Start of a plant, ${runs} runs`,
    header: ['from the start of the process, ms', 'p50', 'min', 'max'],
    rows: [
      row('takes readings', toPort),
      row('first record of alert-signals at a subscriber', toAlert),
      row('CPU time used until then, all threads', cpuMs),
    ],
    goals: [atMost('start to first alert, p50,', p50, 1000, 'ms')],
    notes: ['on a machine that does other work the CPU time says more than the clock'],
    figures: [
      { name: 'start to readings p50', value: percentile(toPort, 0.5), unit: 'ms' },
      { name: 'start to first alert p50', value: p50, unit: 'ms' },
      { name: 'cpu to first alert p50', value: percentile(cpuMs, 0.5), unit: 'ms' },
    ],
  }
}
