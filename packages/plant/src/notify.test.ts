/** Method: what a project may and may not say of its channels of notifications, by the problems that are reported. */
import { ConfigurationError, type NotifyChannel } from '@millwright/core'
import { expect, test } from 'vitest'
import { definePlant, mean, type NotifySetting, tumbling } from './index.ts'

function channelsOf(notify: readonly unknown[]): readonly NotifyChannel[] {
  return definePlant({
    name: 'told',
    channels: { vibration: { unit: 'mm/s' } },
    window: tumbling('1 min'),
    features: { vibration: mean('vibration') },
    notify: notify as readonly NotifySetting[],
  }).notify
}

function problemsOf(...notify: unknown[]): Record<string, string> {
  try {
    channelsOf(notify)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return Object.fromEntries(error.problems.map(({ field, found, wanted }) => [field, `${found} | ${wanted}`]))
  }
  return {}
}

const webhook = { kind: 'webhook', name: 'hook', url: 'https://example.org/in', secretEnv: 'HOOK' }

test('notify fills in defaults, and a plan holds only where secrets are', () => {
  const [hook, mail, broker, topic, alerts] = channelsOf([
    webhook,
    {
      kind: 'email',
      name: 'mail',
      host: 'mail.example.org',
      user: 'u',
      passwordFile: 'p',
      from: 'a@b.c',
      to: ['d@e.f'],
    },
    { kind: 'mqtt', name: 'mqtt', url: 'mqtts://broker:8883' },
    { kind: 'kafka', name: 'kafka', servers: ['127.0.0.1:9092'], topic: 'machine-cases' },
    {
      kind: 'alertmanager',
      name: 'alerts',
      urls: ['http://localhost:9093'],
      repeatEvery: '30 s',
      user: 'plant',
      passwordEnv: 'ONCALL',
    },
  ])
  expect(hook).toEqual({
    kind: 'webhook',
    name: 'hook',
    on: ['opened', 'raised-again', 'escalated', 'cleared', 'resolved', 'reopened'],
    minSeverity: 'warning',
    devices: ['*'],
    maxAgeMs: 86_400_000,
    since: 'now',
    ca: null,
    insecure: false,
    url: 'https://example.org/in',
    secret: { from: 'environment', name: 'HOOK' },
  })
  expect(mail).toMatchObject({
    port: 587,
    security: 'starttls',
    login: { user: 'u', password: { from: 'file', path: 'p' } },
  })
  expect(broker).toMatchObject({ topic: 'millwright/{plant}/cases/{device}', protocol: '3.1.1', login: null })
  expect(topic).toMatchObject({ servers: ['127.0.0.1:9092'], tls: false, login: null })
  const password = { from: 'environment', name: 'ONCALL' }
  expect(alerts).toMatchObject({ repeatEveryMs: 30_000, login: { user: 'plant', password } })
  expect(alerts?.on).toContain('commented')
})

test('notify names the field that is wrong and what is wanted', () => {
  expect(
    problemsOf(
      { ...webhook, on: ['opend'], minSeverity: 'high', since: 'yesterday', devices: [] },
      { ...webhook, kind: 'pager' },
      { ...webhook, name: 'Hook 2' },
    ),
  ).toEqual({
    'notify.0.on.0': expect.stringContaining('"opend" | one of opened, raised-again'),
    'notify.0.minSeverity': '"high" | one of warning, minor, major, critical',
    'notify.0.since': expect.stringContaining("'now', 'beginning' or an ISO 8601 time"),
    'notify.0.devices': expect.stringContaining('at least one device id'),
    'notify.1.kind': expect.stringContaining("'webhook', 'email', 'mqtt', 'kafka' or 'alertmanager'"),
    'notify.2.name': expect.stringContaining('lower-case words'),
  })
})

test.each([
  ['an http address', { ...webhook, url: 'http://example.org/in' }, 'notify[0].url'],
  ['an mqtt address', { kind: 'mqtt', name: 'm', url: 'mqtt://broker' }, 'notify[0].url'],
  [
    'a mail server',
    { kind: 'email', name: 'm', host: 'mail', security: 'none', from: 'a@b.c', to: ['a@b.c'] },
    'notify[0].security',
  ],
  ['Kafka', { kind: 'kafka', name: 'k', servers: ['k1:9092'], topic: 't' }, 'notify[0].servers[0]'],
  ['an Alertmanager', { kind: 'alertmanager', name: 'a', urls: ['http://am:9093'] }, 'notify[0].urls[0]'],
])('notify lets nothing leave the machine unencrypted to %s unless it is asked to', (_, channel, field) => {
  expect(problemsOf(channel)).toEqual({ [field]: expect.stringContaining('insecure: true') })
  expect(problemsOf({ ...channel, insecure: true })).toEqual({})
})

test('notify takes a secret from one place only, and shows none that was written by mistake', () => {
  const { secretEnv: _, ...bare } = webhook
  expect(problemsOf(bare)['notify[0].secretEnv']).toContain('neither of the two | secretEnv or secretFile')
  expect(problemsOf({ ...webhook, secretFile: 'x' })['notify[0].secretEnv']).toContain('both of the two')
  expect(problemsOf({ ...bare, secret: 'hunter2' })).toEqual({
    'notify.0.secret': expect.not.stringContaining('hunter2'),
  })
  const inAddress = problemsOf({ ...webhook, url: 'https://user:hunter2@example.org/' })
  expect(Object.keys(inAddress)).toEqual(['notify.0.url'])
  expect(JSON.stringify(inAddress)).not.toContain('hunter2')
  expect(JSON.stringify(problemsOf({ ...webhook, secretEnv: 'hunter2 !' }))).not.toContain('hunter2')
  expect(problemsOf({ kind: 'mqtt', name: 'm', url: 'mqtts://b', user: 'u' })['notify[0].passwordEnv']).toContain(
    'neither',
  )
  const oncall = { kind: 'alertmanager', name: 'a', urls: ['https://am'] }
  expect(problemsOf({ ...oncall, user: 'u' })['notify[0].passwordEnv']).toContain('neither')
  expect(problemsOf({ ...oncall, passwordFile: 'p' })['notify[0].user']).toContain('no user')
  expect(problemsOf({ ...oncall, user: 'u:v', passwordEnv: 'P' })['notify.0.user']).toContain('without a colon')
  expect(problemsOf({ kind: 'mqtt', name: 'm', url: 'mqtts://b', passwordEnv: 'P' })['notify[0].user']).toContain(
    'no user',
  )
})

test('notify refuses two channels of one name: they would share a position', () => {
  expect(problemsOf(webhook, webhook)).toEqual({ 'notify[1].name': expect.stringContaining('"hook"') })
})
