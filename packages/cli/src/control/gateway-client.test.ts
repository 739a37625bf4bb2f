import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GatewayClient, gatewayOf } from './gateway-client.ts'

/** Answers by the path: a status, and a body. */
const answers: Readonly<Record<string, readonly [number, string]>> = {
  '/plants/a/api/status': [200, '{"plant":"a"}'],
  '/plants/a/refuses': [409, '{"code":"another-open","detail":"The machine has another case."}'],
  '/plants/a/page': [200, '<!doctype html>'],
}
const server = createServer((request, response) => {
  const [status, body] = answers[request.url ?? ''] ?? [404, '{}']
  response.writeHead(status).end(body)
})
let base = ''
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => void server.close())

describe('GatewayClient', () => {
  test.each(['/plants/a', '/plants/a/'])('asks below the path of a proxy, %s', async (path) => {
    expect(await new GatewayClient(`${base}${path}`, null).get('api/status')).toEqual({ plant: 'a' })
  })

  test('tells what a plant refuses by its own code, and what is no plant as such', async () => {
    const client = new GatewayClient(`${base}/plants/a`, null)
    await expect(client.get('refuses')).rejects.toMatchObject({
      code: 'ANOTHER_OPEN',
      message: 'The gateway answered 409: The machine has another case.',
    })
    await expect(client.post('page')).rejects.toMatchObject({ code: 'GATEWAY_UNREACHABLE' })
    await expect(client.post('page')).rejects.toThrow('is it a plant?')
  })

  test('names the address where nobody answers', async () => {
    const gone = createServer()
    await once(gone.listen(0, '127.0.0.1'), 'listening')
    const { port } = gone.address() as AddressInfo
    gone.close()
    await once(gone, 'close')
    await expect(new GatewayClient(`http://127.0.0.1:${port}`, null).get('')).rejects.toMatchObject({
      code: 'GATEWAY_UNREACHABLE',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    })
  })
})

describe('gatewayOf', () => {
  test.each([
    [{ gateway: 'plant:8420' }, {}, 'plant:8420'],
    [{ gateway: 'http://jo:secret@plant' }, {}, 'plant, with a name or a password before it'],
    [{ gatewayCa: 'ca.pem' }, {}, 'beside --gateway-ca'],
    [{ gateway: 'http://plant', gatewayCa: 'nowhere/ca.pem' }, {}, 'nowhere/ca.pem'],
    [{ gateway: 'http://plant' }, { '--data': 'here' }, 'here, beside --gateway'],
  ])('refuses %o beside %o', (flags, without, said) => {
    expect(() => gatewayOf(flags, without)).toThrow(said)
  })

  test('is null where no gateway is named', () => {
    expect(gatewayOf({}, { '--data': 'here' })).toBeNull()
  })
})
