/** Readings of a small fleet that one proof and another send: the same machines, ten minutes at a time. */

/** Of the first part, epoch milliseconds. */
export const startMs = 1_767_571_200_000
export const minutesPerPart = 10

/** Readings of `deviceCount` machines over ten minutes, one each ten seconds; a quarter of the machines shakes. */
export function readingsOfPart(part: number, deviceCount: number): string[] {
  const found: string[] = []
  const from = startMs + part * minutesPerPart * 60_000
  for (let timestamp = from; timestamp < from + minutesPerPart * 60_000; timestamp += 10_000)
    for (let device = 0; device < deviceCount; device++) {
      const temperature = 40 + ((timestamp / 10_000 + device) % 7)
      const vibration = device % 4 === 0 ? 3.5 : 1.25
      found.push(JSON.stringify({ deviceId: `press-${device}`, timestamp, temperature, vibration }))
    }
  return found
}
