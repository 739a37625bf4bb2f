/** Readings of the proofs: a function of device and tick alone, so that what was sent can be told again afterwards. */

/** Event time between two readings of a device, milliseconds. */
export const tickMs = 100

/**
 * Readings of one device in one request. A plant knows the last 16 readings of a device again, so a request of at most so
 * many can be sent again whatever became of it.
 */
export const ticksPerRequestMax = 16

export function deviceName(device: number): string {
  return `press-${String(device).padStart(4, '0')}`
}

/** @param padding Text that a reading carries beside its channels, to fill a disk. */
export function readingLine(device: number, tick: number, startMs: number, padding = ''): string {
  const timestamp = startMs + tick * tickMs
  // Each value differs from its neighbours; vibration swings around 1, where the proofs' models part.
  const wave = (device * 7 + tick * 13) % 29
  const temperature = 40 + wave / 4
  const vibration = ((device + Math.floor(tick / 10)) % 2 === 0 ? 0.4 : 1.4) + wave / 100
  const note = padding === '' ? '' : `,"note":"${padding}"`
  return `{"deviceId":"${deviceName(device)}","timestamp":${timestamp},"temperature":${temperature},"vibration":${vibration.toFixed(2)},"pressure":${(4 + wave / 50).toFixed(2)}${note}}`
}

/** Lines of a range of devices and ticks, tick by tick. */
export function readingLines(options: {
  readonly firstDevice: number
  readonly deviceCount: number
  readonly firstTick: number
  readonly tickCount: number
  readonly startMs: number
  readonly padding?: string
}): string[] {
  const { firstDevice, deviceCount, firstTick, tickCount, startMs, padding } = options
  const lines: string[] = []
  for (let tick = firstTick; tick < firstTick + tickCount; tick++)
    for (let device = firstDevice; device < firstDevice + deviceCount; device++)
      lines.push(readingLine(device, tick, startMs, padding))
  return lines
}
