import { createSimulation, type InjectedFault, type SimulatedLine, type Simulation } from '@millwright/simulator'

/**
 * The plant of the proof: two lines of machines that work from Monday to Friday. Seven working days on which nothing is wrong,
 * a Thursday on which much is, and the working days after it.
 *
 * F1. What a machine says is the simulator's: of the healthy run, or of a run of the same fleet (same seed, so the same
 *     machines) in which a fault befalls it. The runs are taken in step: at each moment they speak of the same tick.
 * F2. Only what the simulator has no fault for is done here, by what `truth` says and by nothing else: a machine that broke stands still until
 *     it is repaired, somebody works beside a machine and shakes it, fork-lifts pass, a gateway is dead.
 */

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const weekMs = 7 * dayMs

/** Length of a window of event time, milliseconds. */
export const windowMs = 300_000
export const deviceCount = 24
/** Ten readings a window. */
const ratePerDeviceHz = 1 / 30
const deviceIdPrefix = 'press-'
/** Machines from this one on are behind the second gateway. */
const firstOfSouth = 16

/** What really happened; times are plant time (event time, epoch milliseconds). */
export interface PlantTruth {
  /** A bearing wears until the machine breaks; it then stands until it is repaired. */
  readonly wear: readonly InjectedFault[]
  /** A leak, which the model was never taught. */
  readonly leak: InjectedFault
  readonly drift: InjectedFault
  /** Somebody works beside a sound machine and shakes it, more gently in the end. */
  readonly shaken: Shaking & { readonly gentlerFromMs: number }
  /** A fork-lift passes sound machines, each for some minutes. */
  readonly passed: readonly Shaking[]
  readonly deadGateway: { readonly fromMs: number; readonly toMs: number; readonly deviceIds: readonly string[] }
  readonly slowDisk: { readonly fromMs: number; readonly toMs: number }
}

/** A span of plant time in which a machine is shaken from outside. */
export interface Shaking {
  readonly deviceId: string
  readonly fromMs: number
  readonly toMs: number
}

export type Gateway = 'north' | 'south'

/** One reading on its way. */
export interface PlantLine {
  readonly gateway: Gateway
  readonly atMs: number
  readonly deviceId: string
  /** JSON without a newline. */
  readonly line: string
}

/** One thing of the truth, on one machine. */
export interface Recorded extends Shaking {
  readonly what: string
}

/** When it all happens: the newest Thursday that lies ten days back, so that no reading is ahead of the clock. */
export function plantCalendar(nowMs: number) {
  // 1970-01-01 was a Thursday.
  const dayStartMs = Math.floor((nowMs - 10 * dayMs) / weekMs) * weekMs
  return {
    /** Tuesday of the week before: with the weekend between, seven working days. */
    fromMs: dayStartMs - 9 * dayMs,
    dayStartMs,
    dayEndMs: dayStartMs + dayMs,
    /** Friday, Monday, and of Tuesday what closes Monday's last windows. */
    toMs: dayStartMs + 5 * dayMs + hourMs,
    /** A working week, five weeks before, from which the model learns. */
    trainingFromMs: dayStartMs - 38 * dayMs,
  }
}
export type PlantCalendar = ReturnType<typeof plantCalendar>

/** How long a machine that broke stands still. */
const repairMs = 3 * hourMs
const shakenByMmPerS = { hard: 6, gently: 3, inPassing: 8 }
const passingMs = 7 * 60_000
const passings = 4

/** The plant over all its days. Lines come in the order of plant time; calling `takeUntil` again goes on. */
export class PlantFleet {
  readonly truth: PlantTruth
  readonly deviceIds: readonly string[]
  readonly #runs: Record<'healthy' | 'broken' | 'drifting', Run>
  readonly #calendar: PlantCalendar
  readonly #breaking: ReadonlyMap<string, InjectedFault>

  constructor(seed: number, calendar: PlantCalendar) {
    this.#calendar = calendar
    const { fromMs, dayStartMs, dayEndMs, toMs } = calendar
    const run = (startMs: number, endMs: number, faults: Parameters<typeof createSimulation>[0]['faults'] = []) =>
      new Run(
        createSimulation({
          seed,
          deviceCount,
          ratePerDeviceHz,
          startMs,
          durationMs: endMs - startMs,
          deviceIdPrefix,
          faults,
        }),
      )
    const share = (machines: number): number => machines / deviceCount
    this.#runs = {
      healthy: run(fromMs, toMs),
      broken: run(dayStartMs, dayEndMs, [
        { kind: 'bearing-wear', share: share(2) },
        { kind: 'leak', share: share(1) },
      ]),
      // Three days, of which the drift needs one to begin and one to be whole; many, so that one of them drifts in pressure.
      drifting: run(dayStartMs, dayStartMs + 2 * dayMs, [{ kind: 'sensor-drift', share: 1 }]),
    }
    this.deviceIds = Array.from({ length: deviceCount }, (_, i) => deviceIdPrefix + String(i).padStart(2, '0'))
    const faults = this.#runs.broken.simulation.groundTruth()
    const wear = faults.filter(({ fault }) => fault === 'bearing-wear')
    const leak = named(faults.find(({ fault }) => fault === 'leak'))
    this.#breaking = new Map([...wear, leak].map((fault) => [fault.deviceId, fault]))
    const free = this.deviceIds.slice(0, firstOfSouth).filter((id) => !this.#breaking.has(id))
    const drift = named(
      this.#runs.drifting.simulation
        .groundTruth()
        .find(({ deviceId, channel }) => channel === 'pressure' && free.includes(deviceId)),
    )
    const [shaken, ...sound] = free.filter((id) => id !== drift.deviceId)
    this.truth = {
      wear,
      leak,
      drift,
      shaken: {
        deviceId: named(shaken),
        fromMs: dayStartMs + 7 * hourMs,
        gentlerFromMs: dayStartMs + 7.75 * hourMs,
        toMs: dayStartMs + 8.5 * hourMs,
      },
      passed: sound.slice(0, passings).map((deviceId, i) => {
        const fromMs = dayStartMs + (2 + 4 * i) * hourMs
        return { deviceId, fromMs, toMs: fromMs + passingMs }
      }),
      deadGateway: {
        fromMs: dayStartMs + 9 * hourMs,
        toMs: dayStartMs + 13 * hourMs,
        deviceIds: this.deviceIds.slice(firstOfSouth),
      },
      slowDisk: { fromMs: dayStartMs + 20 * hourMs, toMs: dayStartMs + 22 * hourMs },
    }
  }

  /** When a machine that broke runs again. */
  repairedMs(fault: InjectedFault): number {
    return (fault.failureMs ?? fault.fullMs) + repairMs
  }

  /** The readings that are sent before a plant time. */
  *takeUntil(untilMs: number): Generator<PlantLine> {
    const { healthy, broken, drifting } = this.#runs
    for (let next = healthy.peek(); next !== null && next.arrivalMs < untilMs; next = healthy.peek()) {
      healthy.take()
      const others = { broken: broken.inStepWith(next), drifting: drifting.inStepWith(next) }
      const line = this.#sent(next, others)
      if (line !== null) yield line
    }
  }

  #sent(
    healthy: SimulatedLine,
    { broken, drifting }: { readonly broken: SimulatedLine | null; readonly drifting: SimulatedLine | null },
  ): PlantLine | null {
    const { deviceId, arrivalMs: atMs } = healthy
    if (isWeekend(atMs)) return null
    const gateway = this.gatewayOf(deviceId)
    const { drift, shaken, passed, deadGateway } = this.truth
    if (gateway === 'south' && isIn(deadGateway, atMs)) return null
    const reading = (line: string): PlantLine => ({ gateway, atMs, deviceId, line })
    const breaking = this.#breaking.get(deviceId)
    if (breaking !== undefined && broken !== null && atMs >= breaking.startMs && atMs < this.repairedMs(breaking))
      return atMs < (breaking.failureMs ?? breaking.fullMs) ? reading(broken.line) : null
    if (deviceId === drift.deviceId && atMs >= drift.startMs)
      return reading(drifting === null ? drifted(healthy.line, drift.magnitude) : drifting.line)
    if (deviceId === shaken.deviceId && isIn(shaken, atMs))
      return reading(shakenLine(healthy.line, atMs < shaken.gentlerFromMs ? 'hard' : 'gently'))
    if (passed.some((one) => one.deviceId === deviceId && isIn(one, atMs)))
      return reading(shakenLine(healthy.line, 'inPassing'))
    return reading(healthy.line)
  }

  gatewayOf(deviceId: string): Gateway {
    return this.deviceIds.indexOf(deviceId) >= firstOfSouth ? 'south' : 'north'
  }

  get dayStartMs(): number {
    return this.#calendar.dayStartMs
  }

  /** Working days from the first reading to the last, whole ones. */
  get workingDays(): number {
    const { fromMs, toMs } = this.#calendar
    const days = Array.from({ length: Math.floor((toMs - fromMs) / dayMs) }, (_, day) => fromMs + day * dayMs)
    return days.filter((startMs) => !isWeekend(startMs)).length
  }

  /** The lines of the plant on which nothing is wrong, of the same machines and days: a run of its own. */
  *soundLines(): Generator<SimulatedLine> {
    const { options } = this.#runs.healthy.simulation
    for (const line of createSimulation(options)) if (!isWeekend(line.arrivalMs)) yield line
  }

  /** What the record says was wrong: of which machine, from when to when in plant time. */
  recorded(): readonly Recorded[] {
    const { wear, leak, drift, shaken, passed, deadGateway } = this.truth
    return [
      ...[...wear, leak].map((fault) => ({
        what: fault.fault,
        deviceId: fault.deviceId,
        fromMs: fault.startMs,
        toMs: this.repairedMs(fault),
      })),
      { what: 'drift', deviceId: drift.deviceId, fromMs: drift.startMs, toMs: Number.POSITIVE_INFINITY },
      ...[shaken, ...passed].map((shaking) => ({ what: 'shaking', ...shaking })),
      ...deadGateway.deviceIds.map((deviceId) => ({ what: 'dead gateway', ...deadGateway, deviceId })),
    ]
  }

  /** The end of all days, plant time. */
  get endMs(): number {
    return this.#calendar.toMs
  }
}

/** A simulation of which one line can be looked at before it is taken. */
class Run {
  readonly simulation: Simulation
  #next: SimulatedLine | null

  constructor(simulation: Simulation) {
    this.simulation = simulation
    this.#next = simulation.next()
  }

  peek(): SimulatedLine | null {
    return this.#next
  }

  take(): SimulatedLine | null {
    const taken = this.#next
    this.#next = this.simulation.next()
    return taken
  }

  /** This run's line of the same device and moment, `null` before and after this run. @throws When it is out of step (F1). */
  inStepWith(line: SimulatedLine): SimulatedLine | null {
    const next = this.#next
    if (next === null || next.arrivalMs > line.arrivalMs) return null
    if (next.arrivalMs !== line.arrivalMs || next.deviceId !== line.deviceId)
      throw new Error(`a run is out of step: ${next.line} beside ${line.line}`)
    return this.take()
  }
}

/** Lines of a working week of the same machines, some of which wear out: what the model learns from, and what was wrong. */
export function trainingWeek(seed: number, { trainingFromMs }: PlantCalendar): Simulation {
  return createSimulation({
    seed,
    deviceCount,
    ratePerDeviceHz,
    startMs: trainingFromMs,
    durationMs: 5 * dayMs,
    deviceIdPrefix,
    faults: [{ kind: 'bearing-wear', share: 2 / deviceCount }],
  })
}

function isWeekend(atMs: number): boolean {
  // Thursday is day 0 of the epoch: Saturday is 2, Sunday 3.
  const day = Math.floor(atMs / dayMs) % 7
  return day === 2 || day === 3
}

function isIn({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }, atMs: number): boolean {
  return atMs >= fromMs && atMs < toMs
}

/** What a drift has come to when its run is over: all of it. */
function drifted(line: string, magnitude: number): string {
  return withChannel(line, 'pressure', magnitude)
}

function shakenLine(line: string, how: keyof typeof shakenByMmPerS): string {
  return withChannel(line, 'vibration', shakenByMmPerS[how])
}

function withChannel(line: string, channel: string, more: number): string {
  const reading = JSON.parse(line) as Record<string, number>
  return JSON.stringify({ ...reading, [channel]: Number(((reading[channel] ?? Number.NaN) + more).toFixed(3)) })
}

function named<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('this seed gives no machine for a fault of the story; take another')
  return value
}
