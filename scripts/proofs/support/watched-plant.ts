import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { splitModelPackage } from '../../../packages/cli/src/models/split-model-testing.ts'
import { eventually, pause, seededChance } from './proof.ts'
import { postReadings } from './proof-plant.ts'

/** A small plant with a history of days: machines that differ, one that breaks, one false alarm, a sensor that drifts. */

export const machineCount = 8
export const minuteMs = 60_000
export const dayMs = 86_400_000
/** Days of history; vibration is higher on all machines from `driftDay` on. */
export const historyDays = 10
const driftDay = 6
const windowMinutes = 5

/** Writes the project; silence is noticed after seconds of append time. @param extra Further fields of the plant. @returns Its folder. */
export function writeWatchedProject(folder: string, extra = ''): string {
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'millwright.config.ts'),
    `import { definePlant, mean, std, tumbling } from '@millwright/plant'

export default definePlant({
  name: 'watched-plant',
  channels: {
    temperature: { unit: '°C', min: 0, max: 120 },
    vibration: { unit: 'mm/s', min: 0 },
    pressure: { unit: 'bar', min: 0 },
  },
  cleaning: [{ channel: 'temperature', min: 0, max: 100 }],
  window: tumbling('5 min'),
  features: { tempStd: std('temperature'), vibration: mean('vibration'), pressure: mean('pressure') },
  model: 'watched',
  alert: { threshold: 0.8 },
  time: { silentAfter: '15 s' },
  heartbeat: '1 s',
  sinks: [],
  ${extra}
})
`,
  )
  writeFileSync(join(folder, 'model.mwmodel'), watchedPackage())
  return folder
}

/** When which machine shakes, and what people found; of the last nobody has said anything yet. */
const shaking = [
  { machine: 0, fromDay: 2, hours: 4, verdict: 'failure-confirmed' },
  { machine: 1, fromDay: 3, hours: 2, verdict: 'false-alarm' },
  { machine: 2, fromDay: 8, hours: 3, verdict: null },
] as const

/** A reading a minute of each machine, for a span of whole minutes since the beginning of the history. */
export function* fleetLines(startMs: number, fromMinute: number, toMinute: number): Generator<string> {
  for (let minute = fromMinute; minute < toMinute; minute++)
    for (let machine = 0; machine < machineCount; machine++) {
      const { temperature, vibration, pressure } = measured(machine, minute)
      yield `{"deviceId":"pump-${machine}","timestamp":${startMs + minute * minuteMs + machine},"temperature":${temperature},"vibration":${vibration},"pressure":${pressure}}`
    }
}

function measured(machine: number, minute: number): { temperature: number; vibration: number; pressure: number } {
  const chance = seededChance(machine * 1_000_003 + minute)
  const noise = (): number => chance() + chance() + chance() - 1.5
  const day = (minute * minuteMs) / dayMs
  const isShaking = shaking.some(
    ({ machine: of, fromDay, hours }) => of === machine && day >= fromDay && day < fromDay + hours / 24,
  )
  const drift = day >= driftDay ? 0.8 : 0
  return {
    temperature: round(50 + machine + 4 * noise()),
    vibration: round(2 + machine / 20 + 0.4 * noise() + drift + (isShaking ? 6 : 0)),
    pressure: round(4 + 0.3 * noise()),
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}

/** What people found: machine 0 broke, machine 1 did not. */
export function verdictLines(startMs: number): string {
  return shaking
    .flatMap(({ machine, fromDay, hours, verdict }) => {
      if (verdict === null) return []
      const from = startMs + fromDay * dayMs - 3_600_000
      const to = startMs + fromDay * dayMs + hours * 3_600_000
      const failure = verdict === 'failure-confirmed' ? { failureAt: to } : {}
      const model = { name: 'watched', version: '1' }
      const deviceId = `pump-${machine}`
      const id = `finding-${machine}`
      return [
        JSON.stringify({ id, revision: 0, deviceId, verdict, from, to, ...failure, recordedAt: to + dayMs, model }),
      ]
    })
    .join('\n')
}

/** High risk where vibration is far above what is usual; the baseline is that of the first days. */
function watchedPackage(): Uint8Array {
  const rows: number[][] = []
  for (let window = 0; window < (driftDay * dayMs) / minuteMs / windowMinutes; window += 7)
    for (let machine = 0; machine < machineCount; machine++) {
      const minutes = Array.from({ length: windowMinutes }, (_, i) => measured(machine, window * windowMinutes + i))
      const temperatures = minutes.map(({ temperature }) => temperature)
      const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
      const middle = mean(temperatures)
      const variance = temperatures.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (windowMinutes - 1)
      rows.push([
        Math.sqrt(variance),
        mean(minutes.map(({ vibration }) => vibration)),
        mean(minutes.map(({ pressure }) => pressure)),
      ])
    }
  return splitModelPackage({
    name: 'watched',
    version: '1',
    features: [
      { name: 'tempStd', unit: '°C' },
      { name: 'vibration', unit: 'mm/s' },
      { name: 'pressure', unit: 'bar' },
    ],
    splitFeature: 1,
    splitAt: 5,
    below: -3,
    atOrAbove: 3,
    rows,
  })
}

/** Sends what machines measure: a minute of their time with each call. */
export class WatchedFleet {
  readonly #url: string
  readonly #startMs: number
  #minute = (historyDays * dayMs) / minuteMs

  constructor(url: string, startMs: number) {
    this.#url = url
    this.#startMs = startMs
  }

  async history(): Promise<void> {
    const day = dayMs / minuteMs
    for (let from = 0; from < this.#minute; from += day)
      await eventually('history is taken', 120, async () =>
        (await this.#post(from, from + day, machineCount)) ? true : null,
      )
  }

  /** @returns Whether they were taken. */
  async send(machines: number): Promise<boolean> {
    const taken = await this.#post(this.#minute, this.#minute + 1, machines)
    this.#minute += 1
    await pause(200)
    return taken
  }

  /** Of every machine a reading that a cleaning rule drops, and one that came hours late. */
  wrongLines(): string[] {
    const reading = (machine: number, minute: number, temperature: number): string => {
      const timestamp = this.#startMs + minute * minuteMs + 30_000 + machine
      return JSON.stringify({ deviceId: `pump-${machine}`, timestamp, temperature, vibration: 2, pressure: 4 })
    }
    return Array.from({ length: machineCount }, (_, machine) => [
      reading(machine, this.#minute - 1, 110),
      reading(machine, this.#minute - 300, 50),
    ]).flat()
  }

  async #post(fromMinute: number, toMinute: number, machines: number): Promise<boolean> {
    const lines = [...fleetLines(this.#startMs, fromMinute, toMinute)].filter((_, n) => n % machineCount < machines)
    return (await postReadings(this.#url, lines.join('\n'))).status === 202
  }
}
