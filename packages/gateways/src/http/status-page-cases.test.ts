/** Method: the page's own script runs against a document of a few classes ({@link runPage}); the gateway behind it answers as the test says. */
import type { CaseView } from '@millwright/core'
import { describe, expect, test } from 'vitest'
import { type FakeAnswer, type FakeElement, type FakeRequest, runPage, status } from './testing/fake-page.ts'

const openedAt = status.now - 600_000

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
  const desk = { cases, isReached: true, asOf: status.now, isBehind: false }
  const rest = [...answers]
  const answer = ({ path, body }: FakeRequest): FakeAnswer => {
    if (path.endsWith('/commands')) {
      commands.push({ path, body })
      const next = rest.shift() ?? pending
      if (next instanceof Error) throw next
      return next
    }
    if (!path.startsWith('api/cases?')) return { status: 404, document: {} }
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
  return { answer, commands, desk }
}

const pending: FakeAnswer = { status: 202, document: { id: 'c', case: null } }
const applied: FakeAnswer = { status: 200, document: { id: 'c', case: resolved('press-07', status.now) } }
const refused: FakeAnswer = { status: 409, document: { code: 'stale', detail: 'Somebody else has changed the case.' } }

type Page = Awaited<ReturnType<typeof runPage>>

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
