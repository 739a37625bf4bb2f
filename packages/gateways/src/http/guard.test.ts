import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { createGuard } from './guard.ts'
import { listenAddress } from './listen-rules.ts'
import { RequestRefusedError } from './problem.ts'

const guard = createGuard({ hostNames: ['plant.local'], scheme: 'http' })

function answer(method: string, headers: Record<string, string>): number {
  try {
    guard.check({ method, headers } as unknown as IncomingMessage)
    return 200
  } catch (error) {
    if (error instanceof RequestRefusedError) return error.problem.status
    throw error
  }
}

describe('createGuard()', () => {
  test.each([
    'localhost',
    'localhost:8420',
    '127.0.0.1:8420',
    '192.168.1.7',
    '[::1]:8420',
    '[fe80::1]',
    'Plant.Local:80',
  ])('takes the host %s (G1)', (host) => {
    expect(answer('GET', { host })).toBe(200)
  })

  test.each([
    '',
    'evil.example',
    'evil.example:8420',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'localhost:8420:1',
    '[::1',
    'localhost:',
    '1.2.3',
    'plant.local.',
  ])('refuses the host %j, to which a name of others may point (G1)', (host) => {
    expect(answer('GET', { host })).toBe(421)
    expect(answer('POST', { host })).toBe(421)
  })

  test('lets programs and its own pages change things, and pages of others only look (G2)', () => {
    const host = 'localhost:8420'
    expect(answer('POST', { host })).toBe(200)
    expect(answer('POST', { host, origin: 'http://localhost:8420' })).toBe(200)
    for (const origin of [
      'http://evil.example',
      'null',
      'https://localhost:8420',
      'http://localhost',
      'http://localhost:8421',
    ])
      expect(answer('POST', { host, origin })).toBe(403)
    expect(answer('POST', { host, 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(answer('POST', { host, 'sec-fetch-site': 'same-origin' })).toBe(200)
    expect(answer('GET', { host, origin: 'http://evil.example' })).toBe(200)
    expect(answer('DELETE', { host, origin: 'http://evil.example' })).toBe(403)
  })
})

describe('listenAddress()', () => {
  test('binds to this machine unless told otherwise', () => {
    expect(listenAddress({ port: 0 })).toMatchObject({ host: '127.0.0.1', scheme: 'http', ownNames: [] })
  })

  test.each(['0.0.0.0', '::', '192.168.1.7', 'plant.local'])('binds to %s only with TLS or where asked for', (host) => {
    expect(() => listenAddress({ host, port: 0 })).toThrow('--insecure')
    expect(listenAddress({ host, port: 0, insecure: true }).scheme).toBe('http')
    expect(listenAddress({ host, port: 0, tls: { cert: '', key: '' } }).scheme).toBe('https')
  })

  test('knows its own names where it is open to others', () => {
    expect(listenAddress({ host: 'plant.local', port: 0, insecure: true }).ownNames).toContain('plant.local')
    expect(listenAddress({ host: 'localhost', port: 0 }).ownNames).toEqual(['localhost'])
  })

  test.each([-1, 65_536, 1.5, Number.NaN])('refuses the port %s', (port) => {
    expect(() => listenAddress({ port })).toThrow('port: found')
  })
})
