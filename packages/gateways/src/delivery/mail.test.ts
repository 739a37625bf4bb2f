/** Method: a real server of SMTP on the loopback, which keeps what comes and refuses what the test says. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { EmailChannel } from '@millwright/core'
import { SMTPServer } from 'smtp-server'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { DeliveryFailedError, DeliveryRefusedError } from './errors.ts'
import { mailOf, openMail } from './mail.ts'
import { notificationOf } from './testing/cases.ts'

interface Mail {
  readonly to: readonly string[]
  readonly text: string
}
const mails: Mail[] = []
/** By step of the conversation: the code to refuse it with. */
let refusals: { login?: number; recipient?: number; message?: number } = {}

function refusal(code: number | undefined): Error | null {
  return code === undefined ? null : Object.assign(new Error('not today'), { responseCode: code })
}

const server = new SMTPServer({
  disabledCommands: ['STARTTLS'],
  allowInsecureAuth: true,
  authOptional: true,
  onAuth: ({ username }, _session, told) => told(refusal(refusals.login), { user: username }),
  onRcptTo: ({ address }, _session, told) => told(address.startsWith('nobody') ? refusal(refusals.recipient) : null),
  onData(stream, session, told) {
    let text = ''
    stream.setEncoding('utf8')
    stream.on('data', (part: string) => {
      text += part
    })
    stream.on('end', () => {
      const refused = refusal(refusals.message)
      if (refused === null) mails.push({ to: session.envelope.rcptTo.map(({ address }) => address), text })
      told(refused)
    })
  },
})
let port = 0
beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  port = (server.server.address() as AddressInfo).port
})
afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())))
beforeEach(() => {
  refusals = {}
  mails.length = 0
})

function mailTo(to: readonly string[], login: EmailChannel['login'] = null) {
  const channel: EmailChannel = {
    kind: 'email',
    name: 'mail',
    on: ['opened'],
    minSeverity: 'warning',
    devices: ['*'],
    maxAgeMs: 1,
    since: 'now',
    ca: null,
    insecure: false,
    host: '127.0.0.1',
    port,
    security: 'none',
    login,
    from: 'Plant <plant@example.org>',
    to,
    atMostEveryMs: 60_000,
  }
  return openMail(channel, { plant: 'press-shop', password: 'hunter2', ca: null })
}
const patience = AbortSignal.timeout(60_000)
const shift = ['shift@example.org']

test('a change is one mail in plain text, whose Message-ID follows from the id', async () => {
  const notification = notificationOf({ comment: 'see\r\nBcc: other@example.org', deviceId: 'Presse Süd' })
  for (let copy = 0; copy < 2; copy++) await mailTo(shift).send([notification], patience)
  const [first, second] = mails.map(({ text }) => text)
  expect(first).toMatch(/^Subject: =\?UTF-8\?/m)
  expect(first).toMatch(/^Content-Type: text\/plain; charset=utf-8/m)
  expect(first).not.toMatch(/^Bcc:/m)
  expect(mails[0]?.to).toEqual(shift)
  const idOf = (text = ''): string | undefined => /^Message-ID:\s+(<.+@press-shop\.millwright>)/m.exec(text)?.[1]
  expect(idOf(first)).toBeDefined()
  expect(idOf(second)).toBe(idOf(first))
  expect(mailOf('press-shop', [notificationOf({ sequence: 1 })]).messageId).not.toBe(idOf(first))
})

test('a digest says how many changes on how many machines, and has each with its id', async () => {
  const batch = [0, 1, 2].map((n) =>
    notificationOf({ deviceId: `press-${n % 2}`, sequence: n, change: n === 2 ? 'cleared' : 'opened' }),
  )
  const { subject, text, references } = mailOf('press-shop', batch)
  expect(subject).toBe('[press-shop] 3 changes on 2 machines')
  for (const { id } of batch) expect(text).toContain(id)
  expect(text).toContain('press-0: no longer at risk (warning, 93%)')
  expect(references).toBeUndefined()
  expect(mailOf('press-shop', batch.slice(0, 1)).references).toBeDefined()
})

test('a case that follows an answered one is told as such', () => {
  const follows = 'press-07@1767542400000'
  const { subject, text } = mailOf('press-shop', [notificationOf({ follows })])
  expect(subject).toBe('[press-shop] press-07: still at risk of failure (warning, 93%)')
  expect(text).toContain(`the alert went on after ${follows} was resolved`)
  expect(mailOf('press-shop', [notificationOf({ follows, sequence: 1, change: 'cleared' })]).subject).toContain(
    'no longer at risk',
  )
  expect(mailOf('press-shop', [notificationOf()]).subject).toContain(': at risk of failure')
})

test.each([
  ['a recipient for good', { recipient: 550 }, ['nobody@example.org'], DeliveryRefusedError],
  ['a recipient for now', { recipient: 451 }, ['nobody@example.org'], DeliveryFailedError],
  ['one recipient of two', { recipient: 550 }, ['nobody@example.org', ...shift], DeliveryRefusedError],
  ['the message for good', { message: 554 }, shift, DeliveryRefusedError],
  ['the message for now', { message: 452 }, shift, DeliveryFailedError],
])('a server that refuses %s', async (_, wanted, to, kind) => {
  refusals = wanted
  await expect(mailTo(to).send([notificationOf()], patience)).rejects.toBeInstanceOf(kind)
})

test('a login that is refused parks nothing: the password may be put right', async () => {
  refusals = { login: 535 }
  const mail = mailTo(shift, { user: 'plant', password: { from: 'environment', name: 'X' } })
  const failure: unknown = await mail.send([notificationOf()], patience).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(DeliveryFailedError)
  expect(String(failure)).not.toContain('hunter2')
})

test('a server that is away, or does not answer in time, is tried again', async () => {
  const attempt = new AbortController()
  attempt.abort()
  await expect(mailTo(shift).send([notificationOf()], attempt.signal)).rejects.toThrow('no answer in time')
  const open = port
  port = 1
  const away = mailTo(shift)
  port = open
  await expect(away.send([notificationOf()], patience)).rejects.toThrow('ECONNREFUSED')
})
