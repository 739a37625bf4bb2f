/** Method: the page's own script runs against a document of a few classes ({@link runPage}). */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { DeliveryStatus } from '../delivery/index.ts'
import { statusPage } from './status-page.ts'
import { alert, FakeElement, runPage, status } from './testing/fake-page.ts'

describe('the status page', () => {
  test('shows counts, reasons for what was not used, the model, lag, disk and alerts with their reasons', async () => {
    const later = { ...status, now: status.now + 2000, counts: { ...status.counts, readingsIn: 1400 } }
    const { text, elements, title } = await runPage([status, later])
    expect(title.title).toContain('pumps')
    expect(text('model')).toContain('wear 3')
    expect(text('readings').replace(/\D/g, '')).toBe('1400')
    expect(text('rate')).toContain('200')
    expect(text('drops')).toBe('dropped by temperature-range 60 not-json 40')
    expect(text('lagAge')).toContain('1 min')
    expect(text('disk')).toContain('5.0 GB')
    expect(elements.get('diskBar')?.style['width']).toBe('25.0%')
    expect(elements.get('diskMeter')?.className).toContain('bad')
    expect(text('alerts')).toMatch(/press-07 93\s?% .* tempStd {2}1.25 \(\+2.5\) pressure {2}missing \(−0.125\)/)
    expect(elements.get('link')?.className).toBe('live')
  })

  test('adds what the stream tells, each alert once, newest first', async () => {
    const { text, tell } = await runPage([status])
    tell(alert('press-08', 1_700_000_300_000))
    tell(alert('press-08', 1_700_000_300_000))
    tell(alert('press-07', 1_700_000_000_000))
    expect(text('alerts').match(/press-0\d/g)).toEqual(['press-08', 'press-07'])
  })

  test('says so when the plant does not answer, and when it has no model', async () => {
    const refusal = { reason: 'feature-units-differ', message: 'found "bar", wanted "kPa"' }
    const refusedModel = { name: 'wear', version: '2', refusal }
    const { text, elements } = await runPage([{ ...status, model: null, refusedModel }, new Error('gone')])
    expect(text('model')).toContain('no model in force')
    expect(text('model')).toContain('the plan refuses wear 2: feature-units-differ')
    expect(elements.get('link')?.className).toBe('lost')
    expect(text('link')).toContain('no answer since')
  })

  test('does not show what a gateway cannot know as 0, and shows where topics end', async () => {
    const unknown = null
    const counts = {
      ...status.counts,
      readingsAccepted: unknown,
      readingsDropped: unknown,
      deadLetters: unknown,
      redelivered: unknown,
      late: unknown,
      windows: unknown,
      windowsUnscored: unknown,
    }
    const topics = [{ topic: 'alert-signals', endOffsets: [7, 0, 12] }]
    const { text, elements } = await runPage([{ ...status, counts, devices: null, lag: null, disk: null, topics }])
    for (const id of ['windows', 'late', 'devices', 'lag']) expect(text(id), id).toBe('–')
    for (const id of ['unscored', 'share', 'redelivered', 'lagAge']) expect(text(id), id).toBe('')
    expect(text('readings').replace(/\D/g, '')).toBe('1000')
    expect(text('noDrops')).toBe('Counted where the operators run.')
    expect(text('topics')).toBe('alert-signals 7 · 0 · 12')
    expect(elements.get('diskSection')?.hidden).toBe(true)
    expect(elements.get('topicsSection')?.hidden).toBe(false)
  })

  test('its policy allows exactly its script and style', () => {
    const { html, contentSecurityPolicy } = statusPage()
    for (const element of ['script', 'style']) {
      const body = new RegExp(`<${element}>([\\s\\S]*?)</${element}>`).exec(html)?.[1] ?? ''
      const hash = createHash('sha256').update(body).digest('base64')
      expect(contentSecurityPolicy).toContain(`${element}-src 'sha256-${hash}';`)
    }
  })
})

describe('the channels of notifications on the page', () => {
  const channel: DeliveryStatus = {
    ...{ name: 'shift', kind: 'webhook', target: 'tickets.example.org', state: 'idle', pending: 0 },
    ...{ oldestPendingAt: null, delivered: 0, refused: 0, failed: 0, skipped: 0, parked: [], lastDeliveredAt: null },
    ...{ lastError: null, nextAttemptAt: null, saveError: null },
  }
  const parked = [{ id: 'press-07@1#0', partition: 0, offset: 3, refusedAt: 1, reason: 'it answered 400' }]
  const away = { at: 1_700_000_005_000, text: 'connect ECONNREFUSED' }
  const refused = { at: 1_700_000_005_000, text: 'it answered 400' }

  test.each<[string, Partial<DeliveryStatus>, string, string, RegExp]>([
    ['nothing waits', {}, 'good', 'up', /nothing waits; none delivered since the start/],
    ['one is sent', { state: 'sending', pending: 1 }, 'good', 'up', /1 waits;/],
    [
      'the peer is away',
      { state: 'waiting', pending: 3, oldestPendingAt: 1_699_999_890_000, lastError: away, nextAttemptAt: 1 },
      ...(['bad', 'down', /3 wait, the oldest for 2 min.*ECONNREFUSED; tried again at/] as const),
    ],
    [
      'it is tried once more',
      { state: 'sending', pending: 3, lastError: away },
      ...(['bad', 'down', /ECONNREFUSED; being tried now/] as const),
    ],
    [
      'it came back since',
      { state: 'sending', pending: 1, lastError: away, lastDeliveredAt: 1_700_000_006_000 },
      ...(['good', 'up', /last delivered/] as const),
    ],
    [
      'one was refused, and the next is sent',
      { state: 'sending', pending: 1, lastError: refused, parked },
      ...(['warn', 'up, refused some', /1 refused for good, and kept.*press-07@1#0.*answered 400/] as const),
    ],
    ['too many were refused', { state: 'held', parked }, 'bad', 'held', /goes on when they have been sent again/],
    ['it cannot work', { state: 'stopped', lastError: refused }, 'bad', 'stopped', /cannot work: it answered 400/],
    ['it begins', { state: 'starting' }, 'quiet', 'starting', /nothing waits/],
    ['its place cannot be saved', { saveError: 'ENOSPC' }, 'good', 'up', /cannot be saved: ENOSPC/],
  ])('where %s: %o', async (_, changes, className, word, said) => {
    const { elements } = await runPage([status], { channels: [{ ...channel, ...changes }] })
    const [item] = elements.get('channels')?.children ?? []
    if (!(item instanceof FakeElement)) throw new Error('the channel is listed')
    expect(item.className).toBe(className)
    const [head] = item.children
    expect(head instanceof FakeElement ? head.children.map((part) => (part as FakeElement).text) : null).toEqual([
      'shift',
      word,
    ])
    expect(item.text).toMatch(said)
    const again = item.children.find((child) => child instanceof FakeElement && 'aria-label' in child.attributes)
    const asks = word === 'down' || (changes.parked ?? []).length > 0
    expect(again instanceof FakeElement ? !again.hidden : null).toBe(asks)
  })

  test('a project without channels has no such section; one with some says how many do not work', async () => {
    expect((await runPage([status])).elements.get('channelsSection')?.hidden).toBe(true)
    const { text, elements } = await runPage([status], {
      channels: [channel, { ...channel, name: 'andon', state: 'stopped' }],
    })
    expect(elements.get('channelsSection')?.hidden).toBe(false)
    expect(text('channelsNote')).toMatch(/^1 of 2 does not work/)
  })
})
