/** Code as a text shows it to a reader. */
export interface ShownCode {
  /** Of the text, from 1. */
  readonly line: number
  readonly text: string
  /**
   * `whole`: a line of a block, which a reader runs as it stands. `mention`: set off within a sentence; it may leave out what a call must
   * have. `prose`: begins somewhere in a sentence and runs into the rest of it.
   */
  readonly kind: 'whole' | 'mention' | 'prose'
}

/**
 * The code of a page in Markdown: each line of fenced and indented blocks, with the lines it goes on in (`\`), and what stands in
 * backticks, over the end of a line too. A `|` that is escaped for a table is one.
 */
export function codeInMarkdown(page: string): ShownCode[] {
  const found: ShownCode[] = []
  const prose: string[] = []
  let fence: string | null = null
  let isIndented = false
  let begun: { line: number; text: string } | null = null
  for (const [index, line] of page.split('\n').entries()) {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1]
    const isMark = mark !== undefined && (fence === null || mark.startsWith(fence))
    if (isMark) fence = fence === null ? mark : null
    // An indented line is code after an empty one and after more code; else it goes on with a paragraph or an item.
    isIndented = fence === null && /^ {4,}\S/.test(line) && (isIndented || (prose.at(-1) ?? '').trim() === '')
    const isCode = !isMark && (fence !== null || isIndented)
    // Blanked rather than cut, so that lines keep their numbers.
    prose.push(isCode || isMark ? '' : line)
    if (!isCode) continue
    begun = begun === null ? { line: index + 1, text: line } : { line: begun.line, text: `${begun.text}\n${line}` }
    if (line.endsWith('\\')) continue
    found.push({ ...begun, kind: 'whole' })
    begun = null
  }
  return [...found, ...mentionsIn(prose.join('\n'))].sort((a, b) => a.line - b.line)
}

function mentionsIn(prose: string): ShownCode[] {
  // No code goes beyond its paragraph: a backtick without its fellow does not shift all that follow.
  return [...prose.matchAll(/(`+)((?:[^`\n]|\n(?!\s*\n))+)\1/g)].map(({ index, 2: text = '' }) => ({
    line: lineAt(prose, index),
    text: text.replaceAll('\\|', '|').replaceAll('\n', ' '),
    kind: 'mention',
  }))
}

/**
 * Where a source names a command to a reader: in examples of help texts, whose lines begin with two spaces and the command, in
 * backticks, and in the prose of messages and comments.
 */
export function commandsInSource(source: string, command: string): ShownCode[] {
  const pattern = new RegExp(`(^ {2}|\` *)?(?<![\\w/.-])(?:npx )?${command} (?=[a-z-])[^\`'"\\n]*`, 'gm')
  return [...source.matchAll(pattern)].map(({ index, 0: text, 1: before }) => {
    const start = index + (before?.length ?? 0)
    // An example may have quotes in it, and goes on to the end of its line.
    const whole = before === '  ' ? (/^.*/.exec(source.slice(start))?.[0] ?? '').replace(/`$/, '') : null
    return {
      line: lineAt(source, start),
      text: whole ?? text.slice(before?.length ?? 0).replace(/\\$/, ''),
      kind: whole !== null ? 'whole' : before === undefined ? 'prose' : 'mention',
    }
  })
}

/** What a unit of systemd starts. */
export function codeInUnit(unit: string): ShownCode[] {
  return [...unit.matchAll(/^Exec\w+=(.*)/gm)].map(({ index, 1: text = '' }) => ({
    line: lineAt(unit, index),
    text,
    kind: 'whole',
  }))
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}
