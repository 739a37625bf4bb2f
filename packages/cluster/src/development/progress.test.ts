import { expect, test } from 'vitest'
import { streamProgress } from './progress.ts'
import { spanText } from './status-text.ts'

test('streamProgress() rewrites one line on a terminal and prints a line now and then elsewhere', () => {
  let nowMs = 0
  const written = (isTTY: boolean): string => {
    let text = ''
    const progress = streamProgress({ isTTY, write: (part: string) => (text += part) }, () => nowMs)
    progress.step('Fetching')
    for (let percent = 0; percent <= 100; percent += 10) {
      nowMs += 1_000
      progress.update('fetching', percent, 100)
    }
    progress.step('Fetched')
    return text
  }
  const lines = written(false).trimEnd().split('\n')
  expect(lines).toEqual(['Fetching', 'fetching (40 %)', 'fetching (90 %)', 'Fetched'])
  const terminal = written(true)
  expect(terminal.split('\n')).toHaveLength(3)
  expect(terminal.split('\r\u001b[K')).toHaveLength(1 + 1 + 11 + 1)
  expect(terminal).toContain(`${'█'.repeat(12)}${'░'.repeat(12)} fetching`)
})

test('spanText() is short at every length', () => {
  expect([5, 89, 90, 5_000, 6_000].map(spanText)).toEqual(['5 s', '89 s', '2 min', '83 min', '1 h 40 min'])
})
