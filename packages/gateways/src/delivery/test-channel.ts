import { limits, type Plan } from '@millwright/core'
import { channelUnknown, systemClock } from './deliveries.ts'
import { DeliveryFailedError } from './errors.ts'
import { readNotification } from './notification.ts'
import { portMaker } from './open-port.ts'
import { plainText } from './plain-text.ts'
import type { ChannelSecrets } from './secrets.ts'

/** No machine has it: a plant's are named by their sources. */
const testDevice = 'millwright-test'

/**
 * Sends one message that says it is a test, once. Whatever the channel wants (`on`, `devices`…), a test is for it.
 *
 * @throws {ChannelUnknownError}
 * @throws {DeliveryFailedError | DeliveryRefusedError} Why the peer did not take it; without secrets.
 */
export async function testChannel(options: {
  readonly plan: Pick<Plan, 'name' | 'notify'>
  readonly name: string
  readonly secrets: ReadonlyMap<string, ChannelSecrets>
}): Promise<{ readonly id: string; readonly target: string }> {
  const { plan, name, secrets } = options
  const declared = plan.notify.find((each) => each.name === name)
  if (declared === undefined) throw channelUnknown(name, plan.notify)
  const channel = { ...declared, minSeverity: 'warning', devices: [testDevice], on: ['opened'], since: 'now' } as const
  const known = secrets.get(name) ?? { password: null, ca: null }
  const port = await portMaker({ channel, plant: plan.name, secrets: known, clock: systemClock })(null)
  const now = Date.now()
  const notification = readNotification(
    JSON.stringify({
      caseId: `${testDevice}@${now}`,
      deviceId: testDevice,
      sequence: 0,
      change: 'opened',
      at: now,
      by: null,
      command: null,
      cause: null,
      comment: 'This is a test of the channel. No machine is at risk.',
      status: 'open',
      alerting: true,
      severity: 'warning',
      openedAt: now,
      windowEnd: now,
      probability: null,
      why: [],
      test: true,
    }),
  )
  if (notification === null) throw new DeliveryFailedError('the test is no case')
  try {
    await port.send([notification], AbortSignal.timeout(limits.notifyAttemptMsMax))
    return { id: notification.id, target: port.target }
  } catch (error) {
    throw new DeliveryFailedError(plainText(error, known.password === null ? [] : [known.password]))
  } finally {
    await port.close()
  }
}
