import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plan } from '@millwright/core'
import { loadProject } from '../../../packages/cli/src/project/load-project.ts'

/** A device that is not heard of for so long is silent, milliseconds of append time: at the speed of the proof some 20 minutes. */
export const silentAfterMs = 4000

/** Writes the project that the day runs: the reference plant, with a silence and a heartbeat that suit a day of minutes. */
export async function writePlantProject(folder: string, alert: string): Promise<Plan> {
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'millwright.config.ts'),
    `import { definePlant, mean, std, tumbling } from '@millwright/plant'

export default definePlant({
  name: 'plant-day',
  channels: {
    temperature: { unit: '°C', min: 0, max: 100 },
    vibration: { unit: 'mm/s', min: 0 },
    pressure: { unit: 'bar', min: 0 },
  },
  cleaning: [{ channel: 'temperature', min: 0, max: 100 }],
  window: tumbling('5 min'),
  features: { tempStd: std('temperature'), vibration: mean('vibration'), pressure: mean('pressure') },
  model: 'bearing-wear',
  alert: ${alert},
  time: { silentAfter: '${silentAfterMs} ms' },
  heartbeat: '1 s',
  sinks: [],
})
`,
  )
  return (await loadProject(folder)).plan
}
