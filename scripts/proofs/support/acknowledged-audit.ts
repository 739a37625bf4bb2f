import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { millwright } from '../../../bench/peers.ts'
import type { Proof } from './proof.ts'
import { deviceName } from './readings.ts'
import type { AcknowledgedRequest } from './resending-clients.ts'
import { partitionsOf, storedOutputs, storedReadings } from './stored-frames.ts'

const topics = ['device-features', 'alert-signals', 'late-readings', 'dead-letters'] as const

/** A reading an hour on, which closes every window of a device; what comes of it itself is not compared. */
export function closingLine(device: number, startMs: number): string {
  return `{"deviceId":"${deviceName(device)}","timestamp":${closingMs(startMs)},"temperature":50,"vibration":1,"pressure":4}`
}

function closingMs(startMs: number): number {
  return startMs + 12 * 3_600_000
}

/**
 * Holds a data folder to what was acknowledged: every reading is in the log, once, or once per attempt that the client had to
 * make; and the outputs are those of a replay of the acknowledged readings, byte for byte and device by device.
 */
export function auditAcknowledged(
  proof: Proof,
  options: {
    readonly data: string
    readonly project: string
    readonly startMs: number
    readonly requests: readonly AcknowledgedRequest[]
  },
): void {
  const { data, project, startMs, requests } = options
  const found = new Map<string, number>()
  for (const partition of partitionsOf(data))
    for (const { line } of storedReadings(data, partition)) found.set(line, (found.get(line) ?? 0) + 1)
  let lost = 0
  let doubled = 0
  let again = 0
  let lineCount = 0
  for (const { lines, attempts } of requests)
    for (const line of lines) {
      lineCount += 1
      const times = found.get(line) ?? 0
      if (times === 0) lost += 1
      if (times > attempts) doubled += 1
      if (times > 1) again += 1
      found.delete(line)
    }
  proof.check(lineCount > 0 && lost === 0, `all ${lineCount} acknowledged readings are in the log (${lost} are not)`)
  proof.check(
    doubled === 0,
    `none is there more often than it was sent (${doubled} are; ${again} were sent again and known as such)`,
  )
  proof.check(found.size === 0, `nothing is in the log that was never acknowledged (${found.size} lines are)`)
  compareWithReplay(proof, { data, project, startMs, lines: requests.flatMap(({ lines }) => lines) })
}

function compareWithReplay(
  proof: Proof,
  options: {
    readonly data: string
    readonly project: string
    readonly startMs: number
    readonly lines: readonly string[]
  },
): void {
  const { data, project, startMs, lines } = options
  const input = join(proof.folder, 'acknowledged.ndjson')
  const out = join(proof.folder, 'replayed')
  writeFileSync(input, `${lines.join('\n')}\n`)
  const [program = '', ...args] = [...millwright, 'replay', project, '--input', input, '--out', out]
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`the replay ended with ${status}: ${stderr}`)
  // The closing reading ends before any other window could: its own stays open in the plant, and is last in the replay.
  const isClosing = (line: string): boolean => line.includes(`"windowStart":${closingMs(startMs)}`)
  for (const topic of topics) {
    const replayed = byDevice(
      readFileSync(join(out, `${topic}.ndjson`), 'utf8')
        .split('\n')
        .filter((line) => line !== '' && !isClosing(line))
        .map((line) => [(JSON.parse(line) as { deviceId: string | null }).deviceId, line]),
    )
    const stored = byDevice(
      partitionsOf(data).flatMap((partition) =>
        [...storedOutputs(data, topic, partition)].map(({ key, value }): [string | null, string] => [key, value]),
      ),
    )
    let count = 0
    const different = [...new Set([...replayed.keys(), ...stored.keys()])].filter((device) => {
      const [one, other] = [replayed.get(device) ?? [], stored.get(device) ?? []]
      count += one.length
      return one.length !== other.length || one.some((line, i) => line !== other[i])
    })
    for (const device of different.slice(0, 2)) {
      const [one, other] = [replayed.get(device) ?? [], stored.get(device) ?? []]
      const at = one.findIndex((line, i) => line !== other[i])
      proof.say(
        `${topic} of ${device}: ${one.length} replayed, ${other.length} stored; first other one ${one[at]} / ${other[at]}`,
      )
    }
    const wanted = topic === 'device-features' || topic === 'alert-signals' ? count > 0 : count === 0
    proof.check(
      wanted && different.length === 0,
      `${topic} equals a replay of what was acknowledged: ${count} records, byte for byte`,
    )
  }
}

function byDevice(records: readonly (readonly [string | null, string])[]): Map<string | null, string[]> {
  const groups = new Map<string | null, string[]>()
  for (const [device, line] of records) {
    const group = groups.get(device)
    if (group === undefined) groups.set(device, [line])
    else group.push(line)
  }
  return groups
}
