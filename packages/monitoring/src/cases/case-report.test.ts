import { expect, test } from 'vitest'
import { signalOf, startMs } from '../testing/random-plant.ts'
import { CaseBook } from './case-book.ts'
import { caseReport } from './case-report.ts'

test('caseReport() tells the oldest case that nobody has ever taken from those that somebody has', () => {
  const book = new CaseBook({ marked: false })
  const open = (deviceId: string, atMs: number): void => void book.alertSignal(signalOf(deviceId, atMs, 0.9), atMs)
  const command = (deviceId: string, windowEnd: number, fields: object, atMs: number): void => {
    const head = { id: `${atMs}`, caseId: `${deviceId}@${windowEnd}`, deviceId }
    expect(book.command(JSON.stringify({ ...head, ...fields }), atMs)).toHaveLength(1)
  }
  expect(caseReport(book)).toMatchObject({ oldestOpenedAt: null, oldestUntakenAt: null })
  open('a', startMs)
  open('b', startMs + 1000)
  open('c', startMs + 2000)
  expect(caseReport(book)).toMatchObject({ oldestOpenedAt: startMs, oldestUntakenAt: startMs })
  command('a', startMs, { command: 'acknowledge' }, startMs + 3000)
  // Reopened: open again, and known to whoever resolved it.
  command('b', startMs + 1000, { command: 'resolve', verdict: 'unclear' }, startMs + 4000)
  command('b', startMs + 1000, { command: 'reopen' }, startMs + 5000)
  const report = caseReport(book)
  expect(report).toMatchObject({ oldestOpenedAt: startMs, oldestUntakenAt: startMs + 2000 })
  expect(report.open.warning).toEqual({ open: 2, acknowledged: 1 })
})
