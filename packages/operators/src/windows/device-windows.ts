import type { CurrentReading } from '../current-reading.ts'

/**
 * How readings come into windows and windows to results, for one kind of window. The caller has moved the device clock to the
 * reading and closed what that closes ({@link WindowCloser.closeDue}) before it adds the reading.
 */
export interface DeviceWindows {
  /**
   * Adds an accepted reading to its windows. A reading that some window is closed to for good is noted as late.
   *
   * @param closedAtMs Append time of the reading, which is when a window that takes a late reading gives its revision.
   */
  add(device: number, reading: CurrentReading, closedAtMs: number, inputOffset: number): void
}
