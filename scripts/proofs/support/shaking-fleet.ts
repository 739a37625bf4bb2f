import { isAcknowledged, postReadings, windowMs } from './proof-plant.ts'
import { deviceName } from './readings.ts'

/** Machines whose windows are at risk, or not, as a proof wants. */
export class ShakingFleet {
  readonly #startMs: number

  constructor(startMs: number) {
    this.#startMs = startMs
  }

  /** One window at high risk of each machine, closed by a reading of the next. @param agoMs How long ago, in event time. */
  async shake(url: string, firstDevice: number, endDevice: number, agoMs = 0): Promise<void> {
    await this.#post(url, firstDevice, endDevice, [
      { atMs: 100 - agoMs, vibration: 1.5 },
      { atMs: windowMs + 100 - agoMs, vibration: 0.4 },
    ])
  }

  /** The next window, which is normal. */
  async calm(url: string, firstDevice: number, endDevice: number): Promise<void> {
    await this.#post(url, firstDevice, endDevice, [{ atMs: 2 * windowMs + 100, vibration: 0.4 }])
  }

  async #post(
    url: string,
    firstDevice: number,
    endDevice: number,
    readings: readonly { readonly atMs: number; readonly vibration: number }[],
  ): Promise<void> {
    const lines: string[] = []
    for (let device = firstDevice; device < endDevice; device++)
      for (const { atMs, vibration } of readings)
        lines.push(
          JSON.stringify({
            deviceId: deviceName(device),
            timestamp: this.#startMs + atMs,
            temperature: 40,
            vibration,
            pressure: 4,
          }),
        )
    if (!isAcknowledged(await postReadings(url, `${lines.join('\n')}\n`), lines.length))
      throw new Error('readings were not accepted')
  }
}
