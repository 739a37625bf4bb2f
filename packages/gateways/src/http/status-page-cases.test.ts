/** Method: the page's own script runs against a document of a few classes ({@link runPage}); the gateway behind it answers as the test says. */
import type { CaseView } from '@millwright/core'
import { describe, expect, test } from 'vitest'
import type { CaseChannels, CaseDetail } from './case-desk.ts'
import { type FakeAnswer, FakeElement, type FakeRequest, runPage, status } from './testing/fake-page.ts'

const openedAt = status.now - 600_000
const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** What of a case the page looks at. */
function caseOf(deviceId: string, changes: Partial<CaseView> = {}): CaseView {
  return {
    ...{ caseId: `${deviceId}@${openedAt}`, deviceId, sequence: 4, change: 'opened', changedAt: openedAt },
    ...{ status: 'open', severity: 'major', alerting: true, device: 'sending', openedAt, acknowledgedAt: null },
    ...{ verdict: null, assignee: null, resolvedAt: null, from: openedAt - 60_000, to: openedAt, follows: null },
    ...{ model: { name: 'wear', version: '3' }, windowEnd: openedAt, probability: 0.9, features: {}, why: [] },
    ...{ peak: { windowEnd: openedAt, probability: 0.9 }, links: [] },
    ...{ evidence: [{ windowEnd: openedAt, probability: 0.9 }] },
    ...changes,
  }
}

const resolved = (deviceId: string, resolvedAt: number): CaseView => {
  const verdict = { kind: 'false-alarm', found: null, failureAt: null, from: openedAt - 60_000, to: openedAt } as const
  return caseOf(deviceId, { status: 'resolved', alerting: false, resolvedAt, verdict, sequence: 5 })
}

/** A gateway that has these cases, and answers commands one after the other; an error: it is not reached. */
function gatewayOf(cases: readonly CaseView[], ...answers: readonly (FakeAnswer | Error)[]) {
  const commands: FakeRequest[] = []
  const feedback: unknown[] = []
  const desk = {
    ...{ cases, isReached: true, asOf: status.now, isBehind: false },
    detail: null as CaseDetail | null,
    channels: { from: openedAt - hourMs, to: openedAt, sliceMs: 60_000, channels: [], isCut: false } as CaseChannels,
  }
  const rest = [...answers]
  const answer = ({ path, body }: FakeRequest): FakeAnswer => {
    if (path.endsWith('/commands')) {
      commands.push({ path, body })
      const next = rest.shift() ?? pending
      if (next instanceof Error) throw next
      return next
    }
    if (path === 'api/feedback') {
      feedback.push(body)
      return { status: 202, document: { accepted: 1, rejected: [] } }
    }
    if (path.endsWith('/channels')) return { status: 200, document: desk.channels }
    if (!path.startsWith('api/cases?')) return { status: desk.detail === null ? 404 : 200, document: desk.detail ?? {} }
    if (!desk.isReached) throw new Error('no route')
    const asked = new URL(path, 'http://plant').searchParams
    const found = desk.cases.filter((each) => {
      if (asked.get('status') === 'unresolved') return each.status !== 'resolved'
      return asked.get('status') === null || each.status === asked.get('status')
    })
    const count = (of: string): number => desk.cases.filter((each) => each.status === of).length
    const counts = { open: count('open'), acknowledged: count('acknowledged'), resolved: count('resolved') }
    const page = found.slice(0, Number(asked.get('limit') ?? 100))
    const { asOf, isBehind } = desk
    return { status: 200, document: { cases: page, total: found.length, counts, asOf, isBehind, nextOffset: null } }
  }
  return { answer, commands, feedback, desk }
}

const pending: FakeAnswer = { status: 202, document: { id: 'c', case: null } }
const applied: FakeAnswer = { status: 200, document: { id: 'c', case: resolved('press-07', status.now) } }
const refused: FakeAnswer = { status: 409, document: { code: 'stale', detail: 'Somebody else has changed the case.' } }

type Page = Awaited<ReturnType<typeof runPage>>

/** Fields in the order in which they stand. */
function timesOf(page: Page, id: string): FakeElement[] {
  const all = page.elements.get(id)?.all ?? []
  return all.filter(({ type }) => type === 'datetime-local')
}

function buttonOf(page: Page, list: string, text: string): FakeElement {
  const found = page.elements.get(list)?.all.find((each) => each.type === 'button' && each.text === text)
  if (found === undefined) throw new Error(`there is a button "${text}"`)
  return found
}

/** Presses a button; what that sets off may go on. */
async function press(page: Page, text: string, list = 'cases'): Promise<FakeElement> {
  const button = buttonOf(page, list, text)
  void button.happens('click')
  await new Promise((resolve) => setImmediate(resolve))
  return button
}

const idsOf = (commands: readonly FakeRequest[]): unknown[] => commands.map(({ body }) => (body as { id: string }).id)

describe('a command that is taken, and of which nothing is known yet', () => {
  test('is said to be taken, is asked for as the same command until something became of it, and then shown', async () => {
    const { answer, commands, desk } = gatewayOf([caseOf('press-07')], pending, pending, applied)
    const page = await runPage([status], { answer })
    const wasNot = await press(page, 'It was not')
    expect(page.text('cases')).toContain('Taken; it takes effect in a moment.')
    expect(wasNot.disabled).toBe(true)

    // The alert grew graver meanwhile: the case has changed, and nobody knows yet what became of the command.
    desk.cases = [caseOf('press-07', { sequence: 5, severity: 'critical' })]
    await page.poll(status)
    await page.pausesEnd()
    expect([wasNot.disabled, commands.length]).toEqual([true, 2])
    expect(page.text('cases')).toContain('Taken; it takes effect in a moment.')

    desk.cases = [resolved('press-07', status.now)]
    await page.pausesEnd()
    expect(page.text('cases')).toBe('')
    expect(page.text('answers')).toContain('it was not')
    expect(commands.map(({ body }) => body)).toEqual(
      Array(3).fill({
        ...{ command: 'resolve', verdict: 'false-alarm', seen: 4, by: null },
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
      }),
    )
    expect(new Set(idsOf(commands)).size).toBe(1)
  })

  test('and is refused later is told so, and can be given again as another one', async () => {
    const { answer, commands } = gatewayOf([caseOf('press-07')], pending, refused, pending)
    const page = await runPage([status], { answer })
    const look = await press(page, 'I look at it')
    await page.pausesEnd()
    expect(page.text('cases')).toContain('Somebody else has changed the case.')
    expect(look.disabled).toBe(false)
    await press(page, 'I look at it')
    const [first, second, third] = idsOf(commands)
    expect([second, third === first]).toEqual([first, false])
  })

  test('is asked for a minute, then said to be kept; pressed again it is the same command, another one is not', async () => {
    let nowMs = status.now
    const { answer, commands } = gatewayOf([caseOf('press-07')])
    const page = await runPage([status], { answer, nowMs: () => nowMs })
    const wasNot = await press(page, 'It was not')
    nowMs += 59_000
    await page.pausesEnd()
    expect(wasNot.disabled).toBe(true)
    nowMs += 2000
    await page.pausesEnd()
    expect(wasNot.disabled).toBe(false)
    expect(page.text('cases')).toContain('Taken and kept.')
    const asked = commands.length
    await press(page, 'It was not')
    await page.pausesEnd()
    await press(page, 'Unclear')
    const ids = idsOf(commands)
    expect(ids[asked]).toBe(ids[0])
    expect(ids.at(-1)).not.toBe(ids[0])
  })

  test('and then not reached is not said to have failed: it is kept', async () => {
    const { answer } = gatewayOf([caseOf('press-07')], pending, new Error('no route'), applied)
    const page = await runPage([status], { answer })
    const wasNot = await press(page, 'It was not')
    await page.pausesEnd()
    expect(wasNot.disabled).toBe(true)
    expect(page.text('cases')).toContain('Taken; it takes effect in a moment.')
    await page.pausesEnd()
    expect([wasNot.disabled, page.text('cases')]).toEqual([false, expect.not.stringContaining('Taken')])
  })
})

test('a refusal of a command whose case has left the page is told above the cases', async () => {
  const { answer, desk } = gatewayOf([caseOf('press-07')], pending, refused)
  const page = await runPage([status], { answer })
  await press(page, 'It was not')
  desk.cases = []
  await page.poll(status)
  await page.pausesEnd()
  expect(page.text('said')).toBe('press-07: Somebody else has changed the case.')
})

test('a command that may not have been taken is told so; pressed again it is the same command', async () => {
  const { answer, commands } = gatewayOf([caseOf('press-07')], new Error('no route'), applied)
  const page = await runPage([status], { answer })
  const wasNot = await press(page, 'It was not')
  expect(page.text('cases')).toContain('no route')
  expect(wasNot.disabled).toBe(false)
  await press(page, 'It was not')
  expect(new Set(idsOf(commands)).size).toBe(1)
})

test('a command that took effect is not said to have failed where the page cannot read the cases after it', async () => {
  const { answer, desk } = gatewayOf([caseOf('press-07')], applied)
  const page = await runPage([status], { answer })
  desk.isReached = false
  const wasNot = await press(page, 'It was not')
  expect(wasNot.disabled).toBe(false)
  expect(page.text('cases')).not.toContain('no route')
})

test('an answer is undone only as it was seen, and its button waits as those of cases do', async () => {
  const { answer, commands } = gatewayOf([resolved('press-07', status.now)], pending)
  const page = await runPage([status], { answer })
  const undo = await press(page, 'Undo', 'answers')
  expect(undo.disabled).toBe(true)
  expect(page.text('answers')).toContain('Taken; it takes effect in a moment.')
  expect(commands[0]?.body).toMatchObject({ command: 'reopen', seen: 5 })
})

test('that no machine wants attention is said only of the present; of cases that are behind, how old they are', async () => {
  const { answer, desk } = gatewayOf([])
  desk.isBehind = true
  desk.asOf = status.now - 3_600_000
  const page = await runPage([status], { answer })
  const said = (): unknown[] => [page.elements.get('noCases')?.hidden, page.text('casesAsOf')]
  expect(said()).toEqual([true, expect.stringMatching(/^Cases as of .*2023.*, still reading: /)])
  desk.isBehind = false
  await page.poll(status)
  expect(said()).toEqual([false, ''])
  desk.cases = [caseOf('press-07')]
  desk.isBehind = true
  await page.poll(status)
  expect(said()).toEqual([true, expect.stringContaining('still reading')])
  expect(page.text('cases')).toContain('press-07')
})

test('however many cases are open, the last answers are there to be taken back', async () => {
  const open = Array.from({ length: 45 }, (_, i) => caseOf(`press-${i}`))
  const answered = Array.from({ length: 6 }, (_, i) => resolved(`lathe-${i}`, status.now - i))
  const { answer } = gatewayOf([...open, ...answered])
  const page = await runPage([status], { answer })
  expect(page.elements.get('cases')?.children.length).toBe(40)
  expect(page.text('moreCases')).toBe('… and 5 more')
  expect(page.text('answers').match(/lathe-\d/g)).toEqual(['lathe-0', 'lathe-1', 'lathe-2', 'lathe-3'])
  expect(buttonOf(page, 'answers', 'Undo').disabled).toBe(false)
})

describe('the chart of risk', () => {
  const chartOf = async (spanMs: number, isCut: boolean): Promise<string> => {
    const found = caseOf('press-07')
    const { answer, desk } = gatewayOf([found])
    const windows = [{ windowEnd: openedAt - spanMs, probability: 0.1, high: false }]
    desk.detail = { case: found, history: [], windows, isCut }
    const page = await runPage([status], { answer })
    await page.pausesEnd()
    const chart = page.elements.get('cases')?.all.find(({ className }) => className === 'chart')
    return chart?.text.trim() ?? ''
  }

  test('says of which days it is only where its span is longer than the time of day can say', async () => {
    const time = String.raw`\d+:\d\d( [AP]M)?`
    expect(await chartOf(6 * hourMs, false)).toMatch(new RegExp(`^${time} risk, at most 90\\s?% ${time}$`))
    const [first, last] = [openedAt - 3 * dayMs, openedAt].map((ms) => new Date(ms).getDate())
    expect(await chartOf(3 * dayMs, false)).toMatch(new RegExp(`\\b${first}\\b.*${time} risk.*\\b${last}\\b.*${time}$`))
  })

  test('says that there were more windows than are drawn', async () => {
    expect(await chartOf(6 * hourMs, true)).toContain('more windows than are drawn')
  })
})

test('channels and history say that there was more than could be read in time', async () => {
  const found = caseOf('press-07')
  const { answer, desk } = gatewayOf([found])
  const opened = { sequence: 0, change: 'opened', at: openedAt, severity: 'major', by: null, comment: null } as const
  const history = [{ ...opened, cause: null, assignee: null, verdict: null, links: [] }]
  const page = await runPage([status], { answer })
  const all = page.elements.get('cases')?.all ?? []
  const details = all.find(({ children: [first] }) => first instanceof FakeElement && first.text.startsWith('Channels'))
  if (details === undefined) throw new Error('a case has details')
  details.open = true
  const shown = async (sequence: number, isCut: boolean): Promise<string> => {
    desk.detail = { case: { ...found, sequence }, history, windows: [], isCut }
    desk.channels = { ...desk.channels, isCut }
    await details.happens('toggle')
    return details.text
  }
  const channelsCut = 'Of the channels there is more than could be read in time.'
  expect(await shown(0, false)).not.toContain('in time')
  expect(await shown(4, true)).toContain('later changes: more than could be read in time')
  expect(await shown(4, true)).toContain(channelsCut)
  // Windows alone were too many.
  expect(await shown(0, true)).not.toContain('later changes')
})

test('no time to come can be chosen for a failure, however long the page is open', async () => {
  const { answer } = gatewayOf([caseOf('press-07')])
  const page = await runPage([status], { answer })
  const inputs = [...timesOf(page, 'cases'), ...timesOf(page, 'missed')]
  expect(inputs).toHaveLength(2)
  await page.poll({ ...status, now: status.now + hourMs })
  for (const input of inputs) {
    await input.happens('focus')
    const latestMs = new Date(input.max).getTime()
    expect(latestMs).toBeLessThanOrEqual(status.now + hourMs)
    expect(latestMs).toBeGreaterThan(status.now + hourMs - 60_000)
  }
})

test.each([
  [88, 1],
  [90, 0],
])('a failure of %i days ago that no case was opened for is noted %i times, as of now; else why not is told', async (days, count) => {
  const { answer, feedback } = gatewayOf([])
  const page = await runPage([status], { answer })
  const [when] = timesOf(page, 'missed')
  const form = page.elements.get('missed')?.all.find(({ className }) => className === 'form')
  const device = form?.all.find(({ type }) => type === 'text')
  if (when === undefined || device === undefined) throw new Error('the form has these fields')
  device.value = 'press-1'
  when.value = new Date(status.now - days * dayMs).toISOString()
  await form?.happens('submit')
  expect(feedback).toHaveLength(count)
  expect(page.text('missed')).toContain(count === 1 ? 'Noted: press-1 failed' : 'more than 89 days ago')
  if (count === 1) expect(feedback[0]).toMatchObject({ recordedAt: status.now, failureAt: status.now - 88 * dayMs })
})
