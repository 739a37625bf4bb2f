/**
 * The heartbeat device: a device of the plant's own, whose readings go the whole way to an alert so that the way is known to be open.
 * No machine stands behind it, so whoever counts, judges or tells of machines leaves it out. Which readings it sends is said in
 * docs/guide/heartbeat.md.
 */

/** Ids that begin so are the plant's own. What follows tells one line of event time from another. */
export const heartbeatDevicePrefix = 'millwright-heartbeat/'

/** Whether a device is the plant's own heartbeat and no machine. */
export function isHeartbeatDevice(deviceId: string): boolean {
  return deviceId.startsWith(heartbeatDevicePrefix)
}

/**
 * Whether a record of an output topic is about the heartbeat, told without reading it as JSON: records of `alert-signals`,
 * `device-features`, `late-readings` and `device-status` begin with their device. Those of `dead-letters` do not.
 */
export function isHeartbeatRecord(line: string): boolean {
  return line.startsWith(recordBeginning)
}

const recordBeginning = `{"deviceId":"${heartbeatDevicePrefix}`
