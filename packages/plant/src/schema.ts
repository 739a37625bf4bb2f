import { limits, utf8ByteLength } from '@millwright/core'
import * as z from 'zod'
import { notifyChannel } from './notify-schema.ts'
import { dayMs, duration, plainName, text, wholeNumber, yearMs } from './schema-parts.ts'
import { isTimeZone } from './time-zone.ts'

/**
 * The shape of a project's settings. Each error text says what is wanted; the field and the value found are added
 * where the problems are collected. Rules between fields are in `build-plan.ts`.
 */

const wantedHeartbeat = "a length of time from '1 s' to '1 min', or null"

const identifier = text(
  'a name of letters, digits, `_`, `-` and `.` that begins with a letter or `_`, at most 64 long',
  /^(?!__proto__$)[A-Za-z_][A-Za-z0-9_.-]{0,63}$/,
)
const finite = z.number('a finite number')

const channel = z.strictObject(
  {
    unit: text("a unit such as '°C', 'mm/s' or 'bar'; '1' for none", /^\S{1,16}$/u),
    kind: z.enum(['gauge', 'counter', 'state'], "'gauge', 'counter' or 'state'").default('gauge'),
    min: finite.optional(),
    max: finite.optional(),
  },
  'a channel: { unit, kind?, min?, max? }',
)

const cleaning = z.strictObject(
  {
    channel: z.string('the name of a channel'),
    min: finite.optional(),
    max: finite.optional(),
    onBad: z.enum(['drop', 'missing'], "'drop' or 'missing'").default('drop'),
    name: identifier.optional(),
  },
  'a cleaning rule: { channel, min?, max?, onBad?, name? }',
)

const windowDuration = duration(1, yearMs, "a window length of 1 ms to 366 d, such as '5 min'")

const window = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('tumbling'), size: windowDuration }),
    z.strictObject({ kind: z.literal('hopping'), size: windowDuration, slide: windowDuration }),
    z.strictObject({ kind: z.literal('session'), gap: windowDuration }),
    z.strictObject({ kind: z.literal('per-reading') }),
  ],
  "tumbling('5 min'), hopping({ size, slide }), session({ gap }) or perReading()",
)

/** Nodes come from the builders; their numbers and channels are checked where the plan is built. */
const feature = z.object(
  {
    node: z.custom<object>((value) => typeof value === 'object' && value !== null && 'kind' in value, 'a feature'),
    unit: z.string('a unit').optional(),
  },
  "a feature such as std('temperature')",
)

const publicKey = text('an Ed25519 public key: base64 of 32 bytes', /^[A-Za-z0-9+/]{43}=$/)

const time = z.strictObject(
  {
    timestamp: z.enum(['event', 'arrival'], "'event' or 'arrival'").default('event'),
    grace: duration(0, yearMs).default(5000),
    allowedLateness: duration(0, yearMs).default(0),
    maxJump: duration(1, yearMs).default(dayMs),
    maxClockAhead: duration(0, yearMs).default(300_000),
    silentAfter: duration(1, yearMs).optional(),
    forgetAfter: duration(1, 10 * yearMs).default(30 * dayMs),
    devicesMax: wholeNumber(1, 10_000_000).default(1_000_000),
  },
  'rules of time: { grace?, allowedLateness?, … }',
)

const csv = z.strictObject(
  {
    delimiter: z.string('one character').length(1, 'one character').default(','),
    decimal: z.enum(['.', ','], "'.' or ','").default('.'),
    deviceId: z.union(
      [
        z.strictObject({ column: z.string().min(1) }),
        z.strictObject({ value: z.string().min(1).max(limits.deviceIdBytesMax) }),
      ],
      '{ column } or { value }',
    ),
    timestamp: z.strictObject(
      {
        column: z.string('the name of a column').min(1, 'the name of a column'),
        format: z.string("'iso', 'epoch-ms', 'epoch-s' or a pattern such as 'yyyy-MM-dd HH:mm:ss'").default('iso'),
        timeZone: z
          .string("an IANA time zone such as 'Europe/Berlin'")
          .refine(isTimeZone, "an IANA time zone such as 'Europe/Berlin'")
          .default('UTC'),
      },
      '{ column, format?, timeZone? }',
    ),
    channels: z.record(z.string(), z.string('the name of a column')).default({}),
  },
  'a CSV format: { deviceId, timestamp, … }',
)

const probability = z.number('a number from 0 to 1').min(0, 'a number from 0 to 1').max(1, 'a number from 0 to 1')

const severity = z
  .strictObject(
    { threshold: probability, clearThreshold: probability.optional() },
    'the thresholds of a severity: { threshold, clearThreshold? }',
  )
  .optional()

const windowCount = wholeNumber(1, limits.alertWindowsMax)

const alertPolicyFields = {
  threshold: probability.optional(),
  clearThreshold: probability.optional(),
  severities: z
    .strictObject({ minor: severity, major: severity, critical: severity }, '{ minor?, major?, critical? }')
    .optional(),
  windows: z
    .strictObject({ high: windowCount, of: windowCount }, 'how many windows of how many: { high, of }')
    .optional(),
  minimumDuration: duration(0, yearMs).optional(),
  clearAfter: duration(1, yearMs).nullable().optional(),
}

const eventType = text("an event type such as 'maintenance'", /^[\w.-]{1,64}$/)

const mute = z
  .strictObject(
    {
      begin: eventType,
      end: eventType,
      atMost: duration(1, yearMs).nullable().optional(),
      settle: duration(0, yearMs).default(0),
    },
    'two types of event: { begin, end, atMost?, settle? }',
  )
  .optional()

// Their class cannot be named: V8 inside Flink has no tables of Unicode.
const noControlCharacters = /^[ -~\u00a0-\u{10ffff}]{1,256}$/u

const devicePattern = text(
  `a device id of at most ${limits.deviceIdBytesMax} characters, in which * stands for any text`,
  noControlCharacters,
)

const alert = z.strictObject(
  {
    ...alertPolicyFields,
    whyMax: wholeNumber(0, limits.featuresMax).default(5),
    devices: z
      .array(
        z.strictObject(
          {
            ...alertPolicyFields,
            match: z.union(
              [devicePattern.transform((pattern) => [pattern]), z.array(devicePattern).min(1, 'at least one pattern')],
              "a pattern of device ids such as 'press-*', or several",
            ),
          },
          'a policy of some devices: { match, threshold?, … }',
        ),
        'a list of policies of some devices',
      )
      .optional(),
    maintenance: mute,
    stops: mute,
  },
  'an alert policy: { threshold?, whyMax?, … }',
)

const wantedMachine =
  'the id of a machine, 1 to 256 bytes without control characters; a pattern cannot name one that was not heard of yet'
const lines = z
  .record(
    plainName,
    z
      .array(
        z
          .string(wantedMachine)
          .regex(noControlCharacters, wantedMachine)
          .refine((id) => !id.includes('*') && utf8ByteLength(id) <= limits.deviceIdBytesMax, wantedMachine),
        'a list of machines',
      )
      .min(1, 'at least one machine')
      .max(limits.lineDevicesMax, `at most ${limits.lineDevicesMax} machines`),
    "machines by line: { 'line-1': ['press-07', 'press-08'] }",
  )
  .default({})

export const plantSchema = z.strictObject(
  {
    name: plainName,
    channels: z.record(identifier, channel, "the channels: { temperature: { unit: '°C' }, … }"),
    cleaning: z.array(cleaning, 'a list of cleaning rules').default([]),
    window,
    features: z.record(identifier, feature, "the features: { tempStd: std('temperature'), … }"),
    model: z
      .union(
        [
          plainName.transform((name) => ({ name, trustedKeys: [] as string[] })),
          z.strictObject({ name: plainName, trustedKeys: z.array(publicKey).default([]) }),
          z.null(),
        ],
        "a model's name, or { name, trustedKeys? }, or null",
      )
      .default(null),
    alert: alert.prefault({}),
    time: time.prefault({}),
    partitions: wholeNumber(1, limits.partitionsMax).default(3),
    sources: z
      .array(z.strictObject({ kind: z.literal('http', "'http'") }), 'a list of sources')
      .default([{ kind: 'http' }]),
    sinks: z
      .array(
        z.discriminatedUnion(
          'kind',
          [
            z.strictObject({ kind: z.literal('console') }),
            z.strictObject({
              kind: z.literal('file'),
              path: text('a path inside the data folder', /^(?!\/)(?!.*\.\.)[\w./-]{1,200}$/),
            }),
          ],
          "{ kind: 'console' } or { kind: 'file', path }",
        ),
        'a list of sinks',
      )
      .default([{ kind: 'console' }]),
    notify: z
      .array(notifyChannel, 'a list of channels: { kind, name, … }')
      .max(limits.notifyChannelsMax, `at most ${limits.notifyChannelsMax} channels`)
      .default([]),
    retention: z
      .strictObject(
        {
          readings: duration(60_000, 100 * yearMs).default(30 * dayMs),
          outputs: duration(60_000, 100 * yearMs).default(400 * dayMs),
          diskBytesMax: wholeNumber(4 * limits.segmentBytesMax, Number.MAX_SAFE_INTEGER).default(20_000_000_000),
        },
        '{ readings?, outputs?, diskBytesMax? }',
      )
      .prefault({}),
    heartbeat: z.union([duration(1000, 60_000, wantedHeartbeat), z.null()], { error: wantedHeartbeat }).default(null),
    lines,
    csv: csv.optional(),
  },
  'the settings of a plant',
)

export type ParsedSettings = z.output<typeof plantSchema>
