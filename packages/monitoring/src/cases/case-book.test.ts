import { type CaseMessage, checkMaintenanceFeedback } from '@millwright/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { naiveCases } from '../testing/naive-cases.ts'
import { type CaseRecord, randomCaseRecords, shortCaseRules } from '../testing/random-cases.ts'
import { dayMs, hourMs, signalOf, startMs } from '../testing/random-plant.ts'
import { CaseBook, type CaseBookState, type CaseOutput } from './case-book.ts'

function give(book: CaseBook, record: CaseRecord): readonly CaseOutput[] {
  switch (record.topic) {
    case 'alert-signals':
      return book.alertSignal(record.signal, record.atMs)
    case 'device-status':
      return book.deviceStatus(record.status, record.atMs)
    case 'case-commands':
      return book.command(record.text, record.atMs)
  }
}

function comparable({
  caseId,
  sequence,
  change,
  at,
  status,
  alerting,
  severity,
  device,
  assignee,
  from,
  to,
  verdict,
  follows,
  evidence,
}: CaseMessage) {
  const said = verdict === null ? null : `${verdict.kind} ${verdict.from} ${verdict.to} ${verdict.failureAt}`
  return {
    caseId,
    sequence,
    change,
    at,
    status,
    alerting,
    severity,
    device,
    assignee,
    span: `${from} ${to}`,
    verdict: said,
    follows,
    evidence,
  }
}

describe('the fold', () => {
  test('CaseBook says what a naive look at each machine says, and refuses what it refuses', () => {
    fc.assert(
      fc.property(fc.integer(), fc.boolean(), (seed, marked) => {
        const records = randomCaseRecords(seed, marked)
        const book = new CaseBook({ marked, rules: shortCaseRules })
        const messages = records.flatMap((record) => give(book, record)).map(({ message }) => comparable(message))
        const naive = naiveCases(records, marked, shortCaseRules)
        expect(messages).toEqual(naive.changes)
        expect(book.totals.commandsRefused).toEqual(naive.refused)
      }),
      { numRuns: 60 },
    )
  })

  test('CaseBook goes on from its state as JSON as if it had never stopped, with marks that grow (C2, C3, C7)', () => {
    fc.assert(
      fc.property(fc.integer(), fc.boolean(), fc.array(fc.nat(249), { maxLength: 4 }), (seed, marked, stops) => {
        const records = randomCaseRecords(seed, marked)
        const whole = new CaseBook({ marked, rules: shortCaseRules })
        const expected = records.flatMap((record) => give(whole, record))
        let book = new CaseBook({ marked, rules: shortCaseRules })
        const outputs: CaseOutput[] = []
        for (const [index, record] of records.entries()) {
          if (stops.includes(index)) {
            const state = JSON.parse(JSON.stringify(book.snapshot())) as CaseBookState
            book = new CaseBook({ marked, rules: shortCaseRules }, state)
          }
          outputs.push(...give(book, record))
        }
        expect(outputs).toEqual(expected)
        expect(book.snapshot()).toEqual(whole.snapshot())
        for (const [i, { mark }] of outputs.entries()) {
          const before = outputs[i - 1]?.mark
          if (before !== undefined)
            expect(
              mark.timeMs > before.timeMs || (mark.timeMs === before.timeMs && mark.index === before.index + 1),
            ).toBe(true)
        }
      }),
      { numRuns: 25 },
    )
  })

  test('A device has one case at most that is not resolved (C1), and what goes to maintenance-feedback is a verdict by its own rules', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const book = new CaseBook({ marked: false, rules: shortCaseRules })
        const status = new Map<string, { deviceId: string; status: string }>()
        for (const record of randomCaseRecords(seed, false))
          for (const { message, feedback } of give(book, record)) {
            status.set(message.caseId, message)
            const open = [...status.values()].filter(
              (each) => each.deviceId === message.deviceId && each.status !== 'resolved',
            )
            expect(open.length).toBeLessThanOrEqual(1)
            if (feedback !== null) {
              expect(checkMaintenanceFeedback(feedback)).toEqual({ kind: 'feedback', feedback })
              expect([feedback.id, feedback.revision]).toEqual([message.caseId, message.sequence])
            }
            if (message.change === 'resolved') expect(feedback).not.toBeNull()
            else if (message.change !== 'reopened') expect(feedback).toBeNull()
          }
      }),
      { numRuns: 25 },
    )
  })
})

const minuteMs = 60_000
const windowMs = 5 * minuteMs

/** A machine's windows of five minutes, by their probabilities, each read a second after its end. */
function windows(book: CaseBook, probabilities: readonly number[], fromMs = startMs): CaseOutput[] {
  return probabilities.flatMap((probability, i) => {
    const windowEnd = fromMs + (i + 1) * windowMs
    return [...book.alertSignal(signalOf('press-07', windowEnd, probability, { sizeMs: windowMs }), windowEnd + 1000)]
  })
}

let commandCount = 0
function command(book: CaseBook, atMs: number, fields: object): CaseMessage | null {
  const head = { id: `c${commandCount++}`, caseId: `press-07@${startMs + windowMs}`, deviceId: 'press-07', by: 'Jo' }
  return book.command(JSON.stringify({ ...head, ...fields }), atMs)[0]?.message ?? null
}

const changesOf = (outputs: readonly CaseOutput[]): string[] => outputs.map(({ message }) => message.change)

describe('a person and an alert', () => {
  test('an alert that stands when its case is resolved opens no other while it goes on for less than a shift, and one when it has cleared and is raised again', () => {
    const book = new CaseBook({ marked: false })
    windows(book, [0.9, 0.9])
    const laterMs = startMs + 2 * windowMs
    expect(command(book, laterMs + 2000, { command: 'resolve', verdict: 'false-alarm' })?.status).toBe('resolved')
    expect(changesOf(windows(book, Array<number>(95).fill(0.9), laterMs))).toEqual([])
    const raised = windows(book, [0.1, 0.9], laterMs + 95 * windowMs)
    expect(raised.map(({ message }) => [message.change, message.follows])).toEqual([['opened', null]])
  })

  test('an alert that goes on for a shift after it was answered opens a case that follows the answered one, then one a day (C6)', () => {
    const book = new CaseBook({ marked: false })
    const answerAfter = (fromMs: number, count: number, atMs: number): CaseMessage[] => {
      const told = windows(book, Array<number>(count).fill(0.9), fromMs).map(({ message }) => message)
      for (const { caseId } of told) command(book, atMs, { caseId, command: 'resolve', verdict: 'false-alarm' })
      return told
    }
    const idAt = (i: number): string => `press-07@${startMs + i * windowMs}`
    const [first] = answerAfter(startMs, 1, startMs + windowMs + 2000)
    expect([first?.caseId, first?.follows]).toEqual([idAt(1), null])
    // Eight hours are 96 windows, a day is 288.
    let count = 1
    let answered = idAt(1)
    for (const wait of [96, 288, 288]) {
      const fromMs = startMs + count * windowMs
      expect(answerAfter(fromMs, wait - 1, 0)).toEqual([])
      count += wait
      const followed = answerAfter(fromMs + (wait - 1) * windowMs, 1, startMs + count * windowMs + 2000)
      expect(followed.map(({ change, sequence, caseId, follows }) => [change, sequence, caseId, follows])).toEqual([
        ['opened', 0, idAt(count), answered],
      ])
      answered = idAt(count)
    }
    expect(book.totals).toMatchObject({ opened: { warning: 4 }, followed: 3 })
  })

  test('an alert that goes on is answered anew once it has cleared: the shift counts again, not the day', () => {
    const book = new CaseBook({ marked: false })
    windows(book, [0.9])
    command(book, startMs + windowMs + 2000, { command: 'resolve', verdict: 'unclear' })
    const [following] = windows(book, [0.9], startMs + 8 * hourMs)
    expect(following?.message.follows).toBe(`press-07@${startMs + windowMs}`)
    windows(book, [0.1, 0.9], startMs + 9 * hourMs)
    // It is the case that follows, raised again; its answer holds a day, the next alert's a shift.
    const atMs = startMs + 9 * hourMs + 2 * windowMs
    const caseId = following?.message.caseId
    command(book, atMs + 2000, { caseId, command: 'resolve', verdict: 'unclear' })
    const [raised] = windows(book, [0.1, 0.9], atMs)
    expect([raised?.message.change, raised?.message.follows]).toEqual(['opened', null])
    command(book, atMs + hourMs, { caseId: raised?.message.caseId, command: 'resolve', verdict: 'unclear' })
    const again = windows(book, [0.9, 0.9], atMs + 8 * hourMs)
    expect(again.map(({ message }) => message.follows)).toEqual([raised?.message.caseId])
  })

  test('a case that follows is reopened and answered as any other; a machine that sends nothing opens none until it sends', () => {
    const book = new CaseBook({ marked: false })
    windows(book, [0.9])
    command(book, startMs + windowMs + 2000, { command: 'resolve', verdict: 'false-alarm' })
    const silentMs = startMs + 20 * hourMs
    expect(book.deviceStatus({ deviceId: 'press-07', kind: 'device-silent', at: silentMs }, silentMs)).toEqual([])
    expect(changesOf(windows(book, [0.9], startMs + dayMs))).toEqual(['opened'])
    expect(command(book, startMs + 2 * dayMs, { command: 'reopen' })).toBeNull()
    expect(book.refusals[0]?.reason).toBe('another-open')
  })

  test('an alert that grows graver after its case was resolved opens a case', () => {
    const book = new CaseBook({ marked: true })
    const signal = (i: number, mark: 'raising' | 'holding', severity: 'warning' | 'critical') => {
      const windowEnd = startMs + i * windowMs
      const alert = { mark, severity, since: startMs + windowMs }
      return book.alertSignal({ ...signalOf('press-07', windowEnd, 0.9), alert }, windowEnd)
    }
    expect(changesOf(signal(1, 'raising', 'warning'))).toEqual(['opened'])
    command(book, startMs + windowMs, { command: 'resolve', verdict: 'unclear' })
    expect(changesOf(signal(2, 'holding', 'warning'))).toEqual([])
    expect(changesOf(signal(3, 'holding', 'critical'))).toEqual(['opened'])
  })

  test('under a policy a window of high risk without a mark is no alert', () => {
    const book = new CaseBook({ marked: true })
    expect(windows(book, [0.99, 0.99])).toEqual([])
  })

  test('a verdict is about the case, made longer to where it failed, and is withdrawn when the case is reopened', () => {
    const book = new CaseBook({ marked: false })
    windows(book, [0.9, 0.95, 0.2])
    const failureAt = startMs + hourMs
    const resolved = book.command(
      JSON.stringify({
        ...{ id: 'x', caseId: `press-07@${startMs + windowMs}`, deviceId: 'press-07', command: 'resolve', by: 'Jo' },
        ...{ verdict: 'failure-confirmed', found: 'bearing', failureAt },
      }),
      startMs + dayMs,
    )[0]
    expect(resolved?.feedback).toEqual({
      ...{ id: `press-07@${startMs + windowMs}`, revision: 2, deviceId: 'press-07', verdict: 'failure-confirmed' },
      ...{
        from: startMs,
        to: failureAt,
        failureAt,
        recordedAt: startMs + dayMs,
        model: { name: 'failure', version: '1' },
      },
    })
    const again = book.command(
      JSON.stringify({ id: 'y', caseId: `press-07@${startMs + windowMs}`, deviceId: 'press-07', command: 'reopen' }),
      startMs + dayMs + 1,
    )[0]
    expect(again?.message.status).toBe('open')
    expect(again?.message.verdict).toBeNull()
    expect([again?.feedback?.verdict, again?.feedback?.revision]).toEqual(['withdrawn', 3])
  })

  test('a false alarm is that of the model that alerted, not of the one that took its place and found nothing', () => {
    const book = new CaseBook({ marked: false })
    windows(book, [0.9, 0.9])
    const windowEnd = startMs + 3 * windowMs
    book.alertSignal(signalOf('press-07', windowEnd, 0.1, { sizeMs: windowMs, version: '2' }), windowEnd)
    const resolve = { caseId: `press-07@${startMs + windowMs}`, deviceId: 'press-07', command: 'resolve' }
    const [resolved] = book.command(JSON.stringify({ id: 'x', ...resolve, verdict: 'false-alarm' }), windowEnd)
    expect(resolved?.message.probability).toBe(0.1)
    expect(resolved?.feedback?.model).toEqual({ name: 'failure', version: '1' })
  })

  test('an alert that ended and was raised again at one time stands, though its end is read after', () => {
    const book = new CaseBook({ marked: true })
    const signal = (i: number, sinceIndex: number, atMs: number) => {
      const windowEnd = startMs + i * windowMs
      const alert = { mark: 'raising', severity: 'warning', since: startMs + sinceIndex * windowMs } as const
      return book.alertSignal({ ...signalOf('press-07', windowEnd, 0.9), alert }, atMs)
    }
    const backMs = startMs + dayMs
    expect(changesOf(signal(1, 1, startMs + windowMs))).toEqual(['opened'])
    expect(changesOf(signal(100, 100, backMs))).toEqual(['raised-again'])
    const ended = { deviceId: 'press-07', kind: 'alert-cleared', at: startMs + hourMs, severity: 'warning' } as const
    const cleared = { ...ended, cause: 'timed' } as const
    expect(book.deviceStatus({ ...cleared, since: startMs + windowMs }, backMs)).toEqual([])
    expect(changesOf(signal(101, 100, backMs + windowMs))).toEqual([])
    const [message] = book.deviceStatus({ ...cleared, since: startMs + 100 * windowMs }, backMs + hourMs)
    expect(message?.message).toMatchObject({ change: 'cleared', alerting: false })
  })

  test('a command that somebody else was faster than is stale; one that comes again changes nothing (C5)', () => {
    const book = new CaseBook({ marked: false })
    windows(book, [0.9])
    const atMs = startMs + windowMs + 1000
    const said = command(book, atMs, { id: 'same', command: 'acknowledge', seen: 0 })
    expect(said?.change).toBe('acknowledged')
    expect(command(book, atMs, { id: 'same', command: 'acknowledge', seen: 0 })).toBeNull()
    expect(command(book, atMs, { command: 'resolve', verdict: 'unclear', seen: 0 })).toBeNull()
    expect(command(book, atMs, { command: 'resolve', verdict: 'unclear', seen: 1 })?.status).toBe('resolved')
    expect(book.totals).toMatchObject({ commands: 2, commandsAgain: 1, commandsRefused: { stale: 1 } })
    expect(book.takeChanges().outcomes.map(({ refusal }) => refusal)).toEqual([null, null, 'stale', null])
  })

  test('a long case keeps its first window and the newest others as evidence (C4)', () => {
    const book = new CaseBook({ marked: false })
    windows(
      book,
      Array.from({ length: 100 }, (_, i) => 0.85 + i / 1000),
    )
    const [, found] = book.takeChanges().cases[0] ?? []
    expect(found?.evidence.length).toBe(48)
    expect(found?.evidence[0]?.windowEnd).toBe(startMs + windowMs)
    expect(found?.evidence.at(-1)?.windowEnd).toBe(startMs + 100 * windowMs)
    expect(found?.evidence[1]?.windowEnd).toBe(startMs + 54 * windowMs)
  })

  test('a case that cleared and that nobody touched expires without a verdict; one that somebody took does not', () => {
    for (const touched of [false, true]) {
      const book = new CaseBook({ marked: false })
      windows(book, [0.9, 0.1])
      if (touched) command(book, startMs + 2 * windowMs + 1000, { command: 'comment', comment: 'I look at it' })
      const later = book.alertSignal(signalOf('other', startMs + 31 * dayMs, 0.1), startMs + 31 * dayMs)
      expect(changesOf(later)).toEqual(touched ? [] : ['expired'])
      expect(later.map(({ feedback }) => feedback)).toEqual(touched ? [] : [null])
    }
  })

  test('a resolved case is forgotten after thirty days, and its device with it (C4)', () => {
    const book = new CaseBook({ marked: false })
    windows(book, [0.9, 0.1])
    command(book, startMs + hourMs, { command: 'resolve', verdict: 'unclear' })
    book.alertSignal(signalOf('other', startMs + 31 * dayMs, 0.1), startMs + 31 * dayMs)
    expect(book.snapshot().devices).toEqual([])
    expect(command(book, startMs + 31 * dayMs, { command: 'reopen' })).toBeNull()
    expect(book.refusals[0]?.reason).toBe('unknown-case')
  })
})
