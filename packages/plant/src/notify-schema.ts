import { alertSeverities, type CaseChange, caseChanges, type SecretPlace } from '@millwright/core'
import * as z from 'zod'
import { dayMs, duration, plainName, text, wholeNumber, yearMs } from './schema-parts.ts'

/**
 * The shape of a channel of notifications, from what a project writes to the plan's node. Rules between fields (what may leave
 * the machine unencrypted, names that are unique) are in `notify-rules.ts`.
 */

/** What a person on shift wants to know who is not looking at the page; not what people do on a case they know of. */
const defaultChanges: readonly CaseChange[] = ['opened', 'raised-again', 'escalated', 'cleared', 'resolved', 'reopened']

const wantedSince = "'now', 'beginning' or an ISO 8601 time with a zone, such as '2026-03-01T06:00:00Z'"
const since = z.union(
  [z.literal('now'), z.literal('beginning'), z.iso.datetime({ offset: true, error: wantedSince })],
  wantedSince,
)

const wantedPattern = "a device id; `*` stands for any characters: 'press-*'"
const filePath = text('the path of a file, relative to the project or absolute', /^[^\0]{1,1000}$/)
const variable = text('the name of a variable of the environment', /^[A-Za-z_][A-Za-z0-9_]{0,127}$/)

/** Without a name and password: those are seen where addresses are seen. */
function url(schemes: string, example: string) {
  const wanted = `an address such as '${example}', without a name or password in it`
  return text(
    wanted,
    new RegExp(`^(?:${schemes})://(?:\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9._-]+)(?::\\d{1,5})?(?:[/?][^\\s#]*)?$`),
  )
}

const common = {
  name: plainName,
  minSeverity: z.enum(alertSeverities, `one of ${alertSeverities.join(', ')}`).default('warning'),
  devices: z
    .array(z.string(wantedPattern).min(1, wantedPattern).max(256, wantedPattern), 'a list of device ids')
    .min(1, 'at least one device id, or none of this field for all')
    .max(1000, 'at most 1,000 device ids')
    .default(['*']),
  maxAge: duration(60_000, 100 * yearMs).default(dayMs),
  since: since.default('now'),
  ca: filePath.optional(),
  insecure: z.boolean('true or false').default(false),
}
const on = z
  .array(z.enum(caseChanges, `one of ${caseChanges.join(', ')}`), 'a list of changes')
  .min(1, 'at least one change')
  .default([...defaultChanges])

const login = {
  user: z.string('a name').min(1, 'a name').max(256, 'at most 256 characters').optional(),
  passwordEnv: variable.optional(),
  passwordFile: filePath.optional(),
}

const address = text(
  "a mail address such as 'shift@example.org'",
  /^(?:[^<>\r\n"]{0,100}<)?[^\s<>@,;"]{1,64}@[A-Za-z0-9.-]{1,255}>?$/,
)

const webhook = z.strictObject({
  kind: z.literal('webhook'),
  ...common,
  on,
  url: url('https?', 'https://example.org/hooks/millwright'),
  secretEnv: variable.optional(),
  secretFile: filePath.optional(),
})

const email = z.strictObject({
  kind: z.literal('email'),
  ...common,
  on,
  host: text('the name of a mail server', /^(?:[A-Za-z0-9.-]{1,255}|[0-9a-fA-F:.]{2,45})$/),
  port: wholeNumber(1, 65_535).optional(),
  security: z.enum(['tls', 'starttls', 'none'], "'tls', 'starttls' or 'none'").default('starttls'),
  ...login,
  from: address,
  to: z.array(address, 'a list of mail addresses').min(1, 'at least one address').max(100, 'at most 100 addresses'),
  atMostEvery: duration(0, dayMs).default(60_000),
})

const mqtt = z.strictObject({
  kind: z.literal('mqtt'),
  ...common,
  on,
  url: url('mqtts?', 'mqtts://broker.example.org:8883'),
  topic: text('a topic without `+` and `#`; {plant} and {device} stand for the names', /^[^+#\0]{1,512}$/u).default(
    'millwright/{plant}/cases/{device}',
  ),
  protocol: z.enum(['3.1.1', '5'], "'3.1.1' or '5'").default('3.1.1'),
  ...login,
})

const server = text('HOST:PORT of a broker', /^(?:[\w.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}$/)
const kafka = z.strictObject({
  kind: z.literal('kafka'),
  ...common,
  on,
  servers: z
    .array(server, 'a list of brokers, HOST:PORT')
    .min(1, 'at least one broker')
    .max(100, 'at most 100 brokers'),
  topic: text('a topic: letters, digits, `.`, `_` and `-`', /^[A-Za-z0-9._-]{1,249}$/),
  tls: z.boolean('true or false').optional(),
  mechanism: z
    .enum(['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN'], "'SCRAM-SHA-512', 'SCRAM-SHA-256' or 'PLAIN'")
    .default('SCRAM-SHA-512'),
  ...login,
})

const alertmanager = z.strictObject({
  kind: z.literal('alertmanager'),
  ...common,
  urls: z
    .array(url('https?', 'http://127.0.0.1:9093'), 'a list of base addresses')
    .min(1, 'at least one address')
    .max(16, 'at most 16 addresses'),
  ...login,
  // A user's name ends at the first colon (RFC 7617).
  user: login.user.refine((name) => name === undefined || !name.includes(':'), 'a name without a colon'),
  repeatEvery: duration(1000, 3_600_000).default(60_000),
})

export const notifyChannel = z.discriminatedUnion(
  'kind',
  [webhook, email, mqtt, kafka, alertmanager],
  "a channel: { kind: 'webhook', 'email', 'mqtt', 'kafka' or 'alertmanager', name, … }",
)

export type ParsedChannel = z.output<typeof notifyChannel>

/** The place that one of two fields names; `null` where none or both are there. */
export function secretPlace(name: string | undefined, path: string | undefined): SecretPlace | null {
  if ((name === undefined) === (path === undefined)) return null
  return name === undefined ? { from: 'file', path: path ?? '' } : { from: 'environment', name }
}
