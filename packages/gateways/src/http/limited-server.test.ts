import { limits } from '@millwright/core'
import { expect, test } from 'vitest'
import { createLimitedServer } from './limited-server.ts'

test('createLimitedServer() bounds how slow and how many its clients may be', () => {
  const server = createLimitedServer(() => undefined, undefined)
  expect(server.requestTimeout).toBe(limits.requestMsMax)
  expect(server.headersTimeout).toBeLessThanOrEqual(10_000)
  expect(server.headersTimeout).toBeLessThan(server.requestTimeout)
  expect(server.maxConnections).toBe(limits.connectionsMax)
  expect(server.keepAliveTimeout).toBeGreaterThan(0)
})
