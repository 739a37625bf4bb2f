/** Method: what is written is gathered; the clock is moved by hand. The page of codes is held against the table. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type LogCode, logCodes } from './log-codes.ts'
import { type LogFormat, PlantLog } from './plant-log.ts'

function logOf(format: LogFormat) {
  const written: string[] = []
  const clock = { ms: 0 }
  const log = new PlantLog({ format, write: (lines) => void written.push(lines), elapsedMs: () => clock.ms })
  return { log, written, clock, json: () => written.map((line) => JSON.parse(line)) }
}

test('text is what a person is told, JSON is one line with level, code, message and details', () => {
  const text = logOf('text')
  text.log.say('PLANT_LISTENS', 'It listens.\nTwo lines.', { url: 'http://a' })
  expect(text.written).toEqual(['PLANT_LISTENS: It listens.\nTwo lines.\n'])
  const json = logOf('json')
  json.log.say('PLANT_LISTENS', 'It listens.\nTwo lines.', { url: 'http://a' })
  expect(json.written[0]?.split('\n').length).toBe(2)
  expect(json.json()).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      code: 'PLANT_LISTENS',
      url: 'http://a',
      msg: 'It listens.\nTwo lines.',
    },
  ])
})

test('a warning that repeats is told once a minute, with how many were held back; others do not wait for it (L2)', () => {
  const { log, clock, json } = logOf('json')
  for (let n = 0; n < 5; n++) log.say('REQUEST_FAILED', `error ${n}`)
  log.say('WATCHER_FAILED', 'another')
  log.say('PLANT_READY', 'ready')
  log.say('PLANT_READY', 'ready')
  clock.ms = 60_000
  log.say('REQUEST_FAILED', 'error 5')
  log.say('REQUEST_FAILED', 'error 6')
  log.close()
  expect(json().map(({ code, heldBack = 0 }) => `${code} ${heldBack}`)).toEqual([
    'REQUEST_FAILED 0',
    'WATCHER_FAILED 0',
    'PLANT_READY 0',
    'PLANT_READY 0',
    'REQUEST_FAILED 4',
    'REQUEST_FAILED 1',
  ])
})

test('no secret is told, in texts, addresses or details, however deep (L1)', () => {
  const secret = 'hunter2hunter2'
  const hiding: readonly ((secret: string) => [string, Record<string, unknown>])[] = [
    (s) => [`cannot reach smtp://plant:${s}@mail:25`, {}],
    (s) => [`the answer was {"password":"${s}"}`, {}],
    (s) => [`Authorization: Bearer ${s}`, {}],
    (s) => ['x', { sasl: { mechanism: 'x', password: s } }],
    (s) => ['x', { list: [{ apiKey: s, inner: { accessKey: s } }] }],
    (s) => ['x', { headers: { authorization: `Basic ${s}`, cookie: s }, token: s }],
    (s) => ['x', { cause: `kafka+ssl://user:${s}@k1:9093/` }],
  ]
  fc.assert(
    fc.property(fc.constantFrom(...hiding), fc.constantFrom<LogFormat>('text', 'json'), (make, format) => {
      const { log, written } = logOf(format)
      const [text, details] = make(secret)
      log.say('REQUEST_FAILED', text, details)
      expect(written.join('')).not.toContain(secret)
      expect(written.length).toBe(1)
    }),
  )
})

test('nothing of a password in an address is told, whatever characters it has (L1)', () => {
  const password = fc
    .array(fc.oneof(fc.constantFrom('@', '/', ':', '?', '#', '%40', '"', "'", '://'), fc.string({ unit: 'grapheme' })))
    .map((parts) => parts.join('').replace(/\s/g, ''))
  fc.assert(
    fc.property(password, fc.constantFrom<LogFormat>('text', 'json'), (secret, format) => {
      const { log, written } = logOf(format)
      log.say('REQUEST_FAILED', `cannot reach smtp://plant:${secret}@mail:25 now`, {
        to: `smtp://plant:${secret}@mail:25`,
      })
      const hidden = 'smtp://[hidden]@mail:25'
      if (format === 'text') expect(written).toEqual([`REQUEST_FAILED: cannot reach ${hidden} now\n`])
      else expect(JSON.parse(written.join(''))).toMatchObject({ msg: `cannot reach ${hidden} now`, to: hidden })
    }),
  )
})

test('docs/guide/logs.md lists each code with its level, and none that does not exist', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/guide/logs.md'), 'utf8')
  const listed = [...page.matchAll(/^\| `([A-Z_]+)` \| (\w+) \|/gm)].map(([, code, level]) => [code, level])
  expect(Object.fromEntries(listed)).toEqual(logCodes)
  expect(listed.length).toBe(Object.keys(logCodes satisfies Record<LogCode, string>).length)
})
