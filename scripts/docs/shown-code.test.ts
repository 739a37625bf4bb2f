import { expect, test } from 'vitest'
import { codeInMarkdown, codeInUnit, commandsInSource } from './shown-code.ts'

test('lines of fenced blocks, those that go on joined, and mentions in sentences', () => {
  const page = [
    'Say `a b` and `c', // over the end of a line
    'd`; one ` alone.',
    '',
    '```sh',
    'run one # `no mention`',
    'run two \\',
    '  --three',
    '```',
    '| `x \\| y` |',
  ].join('\n')
  expect(codeInMarkdown(page)).toEqual([
    { line: 1, text: 'a b', kind: 'mention' },
    { line: 1, text: 'c d', kind: 'mention' },
    { line: 5, text: 'run one # `no mention`', kind: 'whole' },
    { line: 6, text: 'run two \\\n  --three', kind: 'whole' },
    { line: 9, text: 'x | y', kind: 'mention' },
  ])
})

test('indented lines are code after an empty line, and go on with an item else', () => {
  const page = ['- An item', '    goes on.', '', '    run one', '    run two', 'A sentence.'].join('\n')
  expect(codeInMarkdown(page).map(({ line, text }) => [line, text.trim()])).toEqual([
    [4, 'run one'],
    [5, 'run two'],
  ])
})

test('a fence within a longer one is text of it', () => {
  expect(codeInMarkdown('````\n```\nrun\n````\n`after`').map(({ text }) => text)).toEqual(['```', 'run', 'after'])
})

test('examples, mentions and prose of a source', () => {
  const source = [
    'const examples = `',
    "  mill score --found 'a b' | x`",
    '// See `mill report --anew`, not windmill grinds or mill.ts.',
    "throw new Error('No job: mill deploy starts it.')",
  ].join('\n')
  expect(commandsInSource(source, 'mill')).toEqual([
    { line: 2, text: "mill score --found 'a b' | x", kind: 'whole' },
    { line: 3, text: 'mill report --anew', kind: 'mention' },
    { line: 4, text: 'mill deploy starts it.', kind: 'prose' },
  ])
})

test('what a unit starts', () => {
  expect(codeInUnit('[Service]\nExecStart=/bin/mill run\nUser=mill\n')).toEqual([
    { line: 2, text: '/bin/mill run', kind: 'whole' },
  ])
})
