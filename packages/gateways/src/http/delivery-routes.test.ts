import { afterEach, expect, test } from 'vitest'
import { ChannelUnknownError, type DeliveryStatus } from '../delivery/index.ts'
import type { HttpGateway } from './start-http-gateway.ts'
import { startQuietGateway } from './testing/quiet-gateway.ts'

const gateways: HttpGateway[] = []
afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close()))
})

async function start(hasChannels = true): Promise<{ url: string; retried: (string | null)[] }> {
  const retried: (string | null)[] = []
  const deliveries = {
    status: async () => [{ name: 'shift mail' } as DeliveryStatus],
    retry: (name: string | null) => {
      if (name !== 'shift mail')
        throw new ChannelUnknownError('There is no channel "x": the project declares shift mail')
      retried.push(name)
      return 3
    },
  }
  const gateway = await startQuietGateway({ deliveries: hasChannels ? deliveries : null })
  gateways.push(gateway)
  return { url: `${gateway.url}/api/deliveries`, retried }
}
const answerOf = async (answer: Response): Promise<unknown> => [answer.status, await answer.json()]

test('POST /api/deliveries/{channel}/retry has that channel try again, and says how many were parked', async () => {
  const { url, retried } = await start()
  expect(await answerOf(await fetch(url))).toEqual([200, { channels: [{ name: 'shift mail' }] }])
  const answer = await fetch(`${url}/shift%20mail/retry`, { method: 'POST' })
  expect(await answerOf(answer)).toEqual([200, { channel: 'shift mail', parked: 3 }])
  expect(retried).toEqual(['shift mail'])
})

test('a channel that the plant does not have, a body, and a page of another site change nothing', async () => {
  const { url, retried } = await start()
  const unknown = await fetch(`${url}/x/retry`, { method: 'POST' })
  expect(await answerOf(unknown)).toMatchObject([
    404,
    { code: 'channel-unknown', detail: expect.stringContaining('declares') },
  ])
  const withBody = await fetch(`${url}/shift%20mail/retry`, { method: 'POST', body: '{"id":"a#0"}' })
  expect(await answerOf(withBody)).toMatchObject([400, { code: 'command-malformed' }])
  const headers = { origin: 'http://elsewhere.example' }
  const foreign = await fetch(`${url}/shift%20mail/retry`, { method: 'POST', headers })
  expect(await answerOf(foreign)).toMatchObject([403, { code: 'origin-foreign' }])
  expect(retried).toEqual([])
})

test('a plant that tells nobody has no channels, and none to try again', async () => {
  const { url } = await start(false)
  expect(await answerOf(await fetch(url))).toEqual([200, { channels: [] }])
  expect((await fetch(`${url}/shift/retry`, { method: 'POST' })).status).toBe(404)
})
