/** Method: places where secrets are, and are not; every problem is looked through for what must not be in it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError, type NotifyChannel, type SecretPlace } from '@millwright/core'
import { afterAll, expect, test } from 'vitest'
import { plainText } from './plain-text.ts'
import { readSecrets } from './secrets.ts'

const folder = mkdtempSync(join(tmpdir(), 'millwright-secrets-'))
afterAll(() => rmSync(folder, { recursive: true }))

const base = { name: 'c', on: ['opened'], minSeverity: 'warning', devices: ['*'], maxAgeMs: 1, since: 'now' } as const
function webhook(secret: SecretPlace, ca: string | null = null): NotifyChannel {
  return { ...base, kind: 'webhook', ca, insecure: false, url: 'https://example.org/', secret }
}
function mqtt(password: SecretPlace | null): NotifyChannel {
  const login = password === null ? null : { user: 'plant', password }
  return { ...base, kind: 'mqtt', ca: null, insecure: false, url: 'mqtts://b', topic: '{device}', protocol: '5', login }
}

function problemsOf(channel: NotifyChannel, environment: Record<string, string> = {}): string {
  try {
    readSecrets([channel], folder, environment)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return error.message
  }
  return ''
}

test('readSecrets() takes them from the environment, or the first line of a file relative to the project', () => {
  writeFileSync(join(folder, 'key'), 'a secret in a file, long enough\r\nand a remark\n')
  writeFileSync(join(folder, 'ca.pem'), 'PEM')
  const inFile = webhook({ from: 'file', path: 'key' }, 'ca.pem')
  expect(readSecrets([inFile], folder, {}).get('c')).toEqual({ password: 'a secret in a file, long enough', ca: 'PEM' })
  const place = { from: 'environment', name: 'BROKER' } as const
  expect(readSecrets([mqtt(place)], folder, { BROKER: 'x' }).get('c')).toEqual({ password: 'x', ca: null })
  const alertmanager: NotifyChannel = {
    ...base,
    kind: 'alertmanager',
    ca: null,
    insecure: false,
    urls: ['https://a'],
    login: { user: 'plant', password: place },
    repeatEveryMs: 1,
  }
  expect(readSecrets([alertmanager], folder, { BROKER: 'x' }).get('c')).toEqual({ password: 'x', ca: null })
  expect(problemsOf(alertmanager)).toContain('notify[0].passwordEnv')
  expect(readSecrets([mqtt(null)], folder, {}).get('c')).toEqual({ password: null, ca: null })
})

test('readSecrets() names the field and the place of what is missing or too short, and never what is there', () => {
  const variable = { from: 'environment', name: 'HOOK' } as const
  expect(problemsOf(webhook(variable))).toContain('notify[0].secretEnv: found nothing in the variable HOOK')
  const short = problemsOf(webhook(variable), { HOOK: 'hunter2' })
  expect(short).toContain('found 7 characters in the variable HOOK, wanted a secret of at least 16 characters')
  expect(short).not.toContain('hunter2')
  expect(problemsOf(webhook({ from: 'file', path: 'nowhere' }))).toContain('notify[0].secretFile: found ENOENT')
  expect(problemsOf(mqtt({ from: 'environment', name: 'P' }), { P: '' })).toContain('notify[0].passwordEnv')
  writeFileSync(join(folder, 'empty'), '')
  expect(problemsOf(mqtt({ from: 'file', path: 'empty' }))).toContain('notify[0].passwordFile: found nothing in empty')
  expect(problemsOf(webhook({ from: 'file', path: 'key' }, 'no.pem'))).toContain('notify[0].ca')
})

test('plainText() gives one short line without the secrets', () => {
  const error = new Error(`it said: hunter2\nand\u0007 hunter2 again ${'x'.repeat(1000)}`)
  const text = plainText(error, ['hunter2', ''])
  expect(text).toMatch(/^it said: … and {2}… again x+…$/)
  expect(text.length).toBe(300)
  expect(plainText('words', [])).toBe('words')
})
