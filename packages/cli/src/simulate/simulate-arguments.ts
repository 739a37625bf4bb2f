import { ConfigurationError, type ConfigurationProblem } from '@millwright/core'
import { durationMs as durationOf } from '@millwright/plant'
import { type FaultKind, type FaultShare, faultKinds, type SimulationOptions } from '@millwright/simulator'

/** What `millwright simulate` was given, as commander hands it over: text, but for switches. */
export interface SimulateFlags {
  readonly devices: string
  readonly rate: string
  readonly duration: string
  readonly seed: string
  readonly start?: string
  readonly fault?: readonly string[]
  readonly malformed: string
  readonly out?: string
  readonly http?: string
  readonly realtime?: boolean
  readonly speed?: string
  readonly allowRemote?: boolean
  readonly truth?: string
  readonly json?: boolean
}

/** Where the lines go. */
export type Destination =
  | { readonly kind: 'stdout' }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'http'; readonly url: URL }

export interface SimulateArguments {
  readonly simulation: SimulationOptions
  readonly destination: Destination
  /** How many times faster than the wall clock; `null` as fast as the destination takes it. */
  readonly speed: number | null
  readonly truthPath: string | null
  readonly json: boolean
}

const faultShareDefault = 0.05
/** A Monday: the week's shifts begin with the run. */
const startDefaultMs = Date.UTC(2026, 0, 5)

/**
 * Reads the flags.
 *
 * @param nowMs The start where lines are paced by the clock and none was given, rounded down to the second.
 * @throws {ConfigurationError} Naming every flag that is wrong.
 */
export function readSimulateFlags(flags: SimulateFlags, nowMs: number): SimulateArguments {
  const problems: ConfigurationProblem[] = []
  const wrong = (field: string, found: string, wanted: string): void => {
    problems.push({ field, found: JSON.stringify(found), wanted })
  }
  const number = (field: string, text: string, holds: (value: number) => boolean, wanted: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (!holds(value)) wrong(field, text, wanted)
    return value
  }
  const within = (min: number, max: number) => (value: number) => value >= min && value <= max
  const whole = (min: number, max: number) => (value: number) => Number.isInteger(value) && within(min, max)(value)
  const speed = number('--speed', flags.speed ?? '1', within(0.001, 1_000_000), 'a number of 0.001 to 1000000')
  if (flags.speed !== undefined && !flags.realtime) wrong('--speed', flags.speed, 'to be given with --realtime')
  const simulation = {
    deviceCount: number('--devices', flags.devices, whole(1, 10_000_000), 'a whole number of 1 to 10000000'),
    ratePerDeviceHz: number('--rate', flags.rate, within(0.0001, 1000), 'readings a second, 0.0001 to 1000'),
    durationMs: readDuration(flags.duration, wrong),
    seed: number('--seed', flags.seed, whole(0, 0xffffffff), 'a whole number of 0 to 4294967295'),
    startMs: readStart(flags, nowMs, wrong),
    faults: (flags.fault ?? []).flatMap((text) => readFault(text, wrong)),
    malformedShare: number('--malformed', flags.malformed, within(0, 1), 'a share of 0 to 1'),
  }
  const destination = readDestination(flags, wrong)
  if (problems.length > 0) throw new ConfigurationError('millwright simulate cannot run with these options:', problems)
  return {
    simulation,
    destination,
    speed: flags.realtime ? speed : null,
    truthPath: flags.truth ?? null,
    json: flags.json ?? false,
  }
}

type Wrong = (field: string, found: string, wanted: string) => void

function readDuration(text: string, wrong: Wrong): number {
  const match = /^([\d.]+) ?([a-z]+)$/.exec(text.trim())
  const ms = match === null ? null : durationOf(`${match[1]} ${match[2]}`)
  if (ms !== null && ms > 0 && ms <= 3660 * 86_400_000) return ms
  wrong('--duration', text, 'a time such as "90 s", "10 min", "1.5 h", "30 d", up to ten years')
  return Number.NaN
}

function readStart(flags: SimulateFlags, nowMs: number, wrong: Wrong): number {
  if (flags.start === undefined) return flags.realtime ? nowMs - (nowMs % 1000) : startDefaultMs
  const startMs = /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(flags.start) ? Date.parse(flags.start) : Number.NaN
  if (startMs >= 86_400_000 && startMs <= 2 ** 42) return startMs
  wrong('--start', flags.start, 'a time with its zone such as 2026-01-05T06:00:00Z, of 1970 to 2109')
  return Number.NaN
}

function readFault(text: string, wrong: Wrong): FaultShare[] {
  const [kind = '', shareText, ...rest] = text.split('=')
  const share = shareText === undefined ? faultShareDefault : shareText === '' ? Number.NaN : Number(shareText)
  const kinds: readonly FaultKind[] = kind === 'all' ? faultKinds : faultKinds.filter((known) => known === kind)
  if (kinds.length === 0) wrong('--fault', text, `"all" or one of ${faultKinds.join(', ')}`)
  else if (rest.length > 0 || !(share >= 0 && share <= 1))
    wrong('--fault', text, 'KIND or KIND=SHARE, a share of 0 to 1')
  return kinds.map((known) => ({ kind: known, share }))
}

function readDestination(flags: SimulateFlags, wrong: Wrong): Destination {
  if (flags.http !== undefined) {
    if (flags.out !== undefined) wrong('--http', flags.http, 'either --out or --http')
    return { kind: 'http', url: readUrl(flags.http, flags.allowRemote ?? false, wrong) }
  }
  if (flags.out !== undefined && flags.out !== '-') return { kind: 'file', path: flags.out }
  if (flags.json) wrong('--json', flags.out ?? '-', 'to be given with --out FILE or --http URL: the lines take stdout')
  return { kind: 'stdout' }
}

/** An address without a path means the plant's own door for readings. */
function readUrl(text: string, remoteAllowed: boolean, wrong: Wrong): URL {
  const wanted = 'an address such as http://127.0.0.1:8420'
  if (!URL.canParse(text)) {
    wrong('--http', text, wanted)
    return new URL('http://127.0.0.1/')
  }
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') wrong('--http', text, wanted)
  if (!remoteAllowed && !isLoopback(url.hostname)) {
    wrong('--http', text, 'an address of this machine (127.0.0.1, localhost, [::1]), or --allow-remote')
  }
  if (url.pathname === '/') url.pathname = '/api/readings'
  return url
}

/** Says whether a host, as `URL` normalises it, is this machine's own. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
