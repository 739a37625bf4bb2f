import type { AlertStates } from './alerts/alert-states.ts'
import type { DeviceTable } from './device-table.ts'
import type { DeviceEvents } from './features/device-events.ts'
import type { WindowHistory } from './features/history.ts'
import type { WaitingReadings } from './waiting-readings.ts'
import type { WindowStore } from './windows/window-store.ts'

/** Everything that is remembered of devices: fixed fields, windows, and what stands beside them under the same index. */
export interface DeviceMemory {
  readonly table: DeviceTable
  readonly windows: WindowStore
  readonly waiting: WaitingReadings
  readonly history: WindowHistory
  readonly events: DeviceEvents
  /** `null` where the alert policy remembers nothing. */
  readonly alerts: AlertStates | null
}

/**
 * Frees everything of a device but its fixed fields and its alert: of that nothing may go before what waits to be scored has been decided on
 * (A3), so it ends in its turn among the results.
 */
export function clearBeside(memory: DeviceMemory, device: number): void {
  memory.windows.removeAll(device)
  memory.waiting.delete(device)
  memory.history.forget(device)
  memory.events.forget(device)
}
