import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeProject } from '../../../packages/cli/src/commands/command-testing.ts'
import { partitionOf } from '../../../packages/core/src/index.ts'

/** Ten machines over two days: some shake for a while, most drift on the second day, one sends what is none, one is late. */

export const minutesPerDay = 1440
export const days = 2
export const historyMinutes = days * minutesPerDay
/** A machine shakes then, and its alert stands. */
export const halfMinute = 1420
const dayMs = 86_400_000
/** A midnight: lately, since verdicts on what is months ago count no more, and long enough ago for what machines send after the history. */
export const startMs = (Math.floor(Date.now() / dayMs) - days - 1) * dayMs

/** The topics of the cluster have three partitions; the last one gets no machine, and must hold nothing back. */
export const machines = Array.from({ length: 40 }, (_, n) => `press-${n}`)
  .filter((machine) => partitionOf(machine, 3) !== 2)
  .slice(0, 10)
/** The others' turn to shake does not come. */
export const shakingMachines = 7
/** One whose turn to shake does not come, and that is in order otherwise. */
export const calmMachine = machines[8] as string
/** Which machine's alert stands at {@link halfMinute}. */
export const standingMachine = machines[0] as string

/** Writes the project, with an alert policy. @returns Its folder. */
export function writeWatchedProject(folder: string): string {
  writeProject(folder, "time: { grace: '0 s', silentAfter: '2 h' },")
  rewrite(
    folder,
    'alert: { threshold: 0.8 }',
    "alert: { threshold: 0.8, clearThreshold: 0.6, windows: { high: 3, of: 5 }, minimumDuration: '30 min' }",
  )
  return folder
}

/** Changes the project in what makes no difference to these machines: the job is another one, and must go on as the one before would have. */
export function changeProject(folder: string): void {
  rewrite(folder, "channel: 'temperature', min: 0, max: 100", "channel: 'temperature', min: 0, max: 99")
}

/** Has gateways of the project send heartbeats. */
export function addHeartbeat(folder: string): void {
  rewrite(folder, "model: 'press',", "model: 'press', heartbeat: '1 s',")
}

function rewrite(folder: string, found: string, wanted: string): void {
  const path = join(folder, 'millwright.config.ts')
  const text = readFileSync(path, 'utf8')
  if (!text.includes(found)) throw new Error(`the project has no ${found}`)
  writeFileSync(path, text.replace(found, wanted))
}

/** Of all machines, one each twenty seconds. */
export function readings(fromMinute: number, toMinute: number): string[] {
  const lines: string[] = []
  for (let minute = fromMinute; minute < toMinute; minute++)
    for (let second = 0; second < 60; second += 20)
      for (const [n, deviceId] of machines.entries()) {
        const timestamp = startMs + minute * 60_000 + second * 1000
        const shakes = minute % 700 >= 100 * n && minute % 700 < 100 * n + 40
        const drifted = n < 7 && minute > minutesPerDay ? 0.25 : 0
        const vibration = shakes ? 3.5 : 1.2 + drifted + ((minute * 7 + n * 13 + second) % 50) / 100
        const reading = { deviceId, timestamp, temperature: 40 + ((minute + second + n) % 7), vibration }
        lines.push(JSON.stringify(reading))
        if (n === 3 && minute % 97 === 0) lines.push(JSON.stringify({ ...reading, timestamp: 'soon' }))
        if (n === 4 && minute % 89 === 5) lines.push(JSON.stringify({ ...reading, timestamp: timestamp - 200_000 }))
      }
  return lines
}

/** Of one machine, one each twenty seconds, shaking or not. */
export function readingsOf(deviceId: string, fromMinute: number, toMinute: number, shakes: boolean): string[] {
  const lines: string[] = []
  for (let second = fromMinute * 60; second < toMinute * 60; second += 20)
    lines.push(
      JSON.stringify({
        deviceId,
        timestamp: startMs + second * 1000,
        temperature: 40 + (second % 7),
        vibration: shakes ? 3.5 : 1.2,
      }),
    )
  return lines
}

/** A verdict on a machine, by its place in {@link machines}; minutes since the start. */
export function verdict(id: string, kind: string, machine: number, from: number, to: number, revision = 0): string {
  const at = (minute: number): number => startMs + minute * 60_000
  return JSON.stringify({
    id,
    revision,
    deviceId: machines[machine],
    verdict: kind,
    from: at(from),
    to: at(to),
    recordedAt: at(historyMinutes),
    model: { name: 'press', version: '1' },
  })
}

export const firstVerdicts = [
  verdict('a', 'failure-confirmed', 0, 0, 60),
  verdict('b', 'false-alarm', 1, 90, 150),
  verdict('c', 'missed-failure', 2, 50, 90),
]
export const laterVerdicts = [
  verdict('b', 'withdrawn', 1, 90, 150, 1),
  verdict('d', 'false-alarm', 2, 1590, 1650),
  verdict('d', 'false-alarm', 2, 1590, 1650),
]
