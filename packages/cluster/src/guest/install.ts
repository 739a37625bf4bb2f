import type { Plan } from '@millwright/core'
import type { HostFunctions } from '../bridge.ts'
import { createGuest, type GuestStates } from './guest.ts'

/**
 * Puts a plan's guest where the host looks for it. The bundle's entry calls this with the project's plan.
 *
 * @param states What the devices' states are that it finds.
 */
export function installGuest(plan: Plan, states: GuestStates): void {
  const scope = globalThis as unknown as { millwrightHost: HostFunctions; millwright: unknown }
  scope.millwright = createGuest(plan, scope.millwrightHost, states)
}
